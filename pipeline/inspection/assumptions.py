"""How a file's Greeks were computed, by its entry in the manifest."""

from dataclasses import replace
from typing import Any

from pipeline.inspection.entries import known_entry
from transforms.audit.assumptions import Assumptions
from transforms.market.clock import clock_ms
from transforms.orders import order_of


def assumptions_of(path: str, given: Assumptions) -> Assumptions:
    """Returns how a file's Greeks were computed: by its manifest and by the flags.

    The count of time is the manifest's, where there is one; the others are the flags', if given.

    Args:
        path: the file; one of another tool, or moved out of its folder, has no manifest.
        given: by flags.
    """
    entry = known_entry(path)
    if entry is None:
        return given
    request = entry.request
    known: dict[str, Any] = {
        "trade_dates": entry.served_dates,
        "provisional": entry.provisional,
    }
    if given.annual_dividend is None and "annual_dividend" in request:
        known["annual_dividend"] = float(request["annual_dividend"])
    # The generation, where the origin names one: see `planning.source.Source`.
    generation = entry.source.rpartition(", ")[2]
    known["version"] = "1" if generation == "v2" else request.get("version", "latest")
    endpoint = order_of(request["greeks"]).endpoints.get(generation)
    if endpoint is not None and "option_use_nbbo" not in request:
        known["priced_by"] = endpoint.priced_by
    if given.interval is None and "interval" in request:
        known["interval"] = request["interval"]
    for name in ("start_time", "end_time"):
        if name in request:
            known[name.replace("time", "ms")] = clock_ms(request[name])
    return replace(given, **known)
