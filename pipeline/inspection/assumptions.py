"""What the manifest tells of how a file's Greeks were computed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from transforms.audit.assumptions import Assumptions
from transforms.market.clock import clock_ms
from transforms.output.entry import entry_of_file


def assumptions_of(path: str, told: Assumptions) -> Assumptions:
    """Returns what is known of a file: what was told, and else what its manifest says.

    Args:
        path: the file; one of another tool, or moved out of its folder, has no manifest.
        told: what flags say.
    """
    entry = entry_of_file(Path(path))
    if entry is None:
        return told
    request = entry.request
    known: dict[str, Any] = {}
    if told.annual_dividend is None and "annual_dividend" in request:
        known["annual_dividend"] = float(request["annual_dividend"])
    if told.version is None and "version" in request:
        known["version"] = request["version"]
    if told.interval is None and "interval" in request:
        known["interval"] = request["interval"]
    for name in ("start_time", "end_time"):
        if name in request:
            known[name.replace("time", "ms")] = clock_ms(request[name])
    return replace(told, **known)
