"""The books of a run: every request has its result, and the sums are those of the results."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pipeline.text import count
from transforms.metrics.summary import RunSummary
from transforms.model import STATUSES, WRITTEN, GreeksRequest, Key, key_of


class BooksDiffer(RuntimeError):
    """A request is missing or counted twice in the summary."""


def check_accounts(
    requests: Sequence[GreeksRequest], summary: RunSummary, counters: Mapping[str, int] | None
) -> None:
    """Checks that a summary has each request that was sent exactly once, and that its sums agree.

    Args:
        requests: all that were to be fetched.
        summary: the graph's.
        counters: what Beam counted under the names of `RecordResults`, or None where a runner may
            count an expiration twice, since it may run a bundle again.

    Raises:
        BooksDiffer: they do not agree; the message names the difference.
    """
    requested = Counter(request.key for request in requests)
    reported = Counter(map(key_of, summary.expirations))
    if requested != reported:
        lost, twice = requested - reported, reported - requested
        raise BooksDiffer(
            f"{count(len(requests), 'file')} requested, and "
            f"{count(len(summary.expirations), 'result')}: {_names(lost)} without a result, "
            f"{_names(twice)} with more than one"
        )
    results = summary.expirations
    written = [result for result in results if result["status"] == WRITTEN]
    _same("row", summary.total_records, sum(result["rows"] for result in written))
    _same("byte", summary.total_data_size, sum(result["bytes"] for result in written))
    _same("file", len(summary.files_created), len({result["path"] for result in written}))
    if counters is not None:
        _same("row", summary.total_records, counters.get("rows", 0))
        _same("byte", summary.total_data_size, counters.get("bytes", 0))
        for status in STATUSES:
            ended = sum(result["status"] == status for result in results)
            _same(f"{status} expiration", ended, counters.get(f"expirations_{status}", 0))


def _names(keys: Iterable[Key]) -> str:
    return ", ".join(" ".join(key) for key in sorted(keys)) or "none"


def _same(what: str, summary: int, counted: int) -> None:
    if summary != counted:
        raise BooksDiffer(
            f"the summary has {count(summary, what)}, its results and counters {counted:,}: the "
            "files are whole, but do not trust this summary; `greeks verify` counts them anew"
        )
