"""The books of a run: every request has its result, and the sums are those of the results."""

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain, islice

from pipeline.text import count
from transforms.metrics.results_file import read_results
from transforms.metrics.summary import RunSummary
from transforms.model import STATUSES, WRITTEN, Key, key_of
from transforms.model.requests import KeyMarks

_NAMED = 10


class BooksDiffer(RuntimeError):
    """A request is missing or counted twice in the summary."""


def check_accounts(
    requests: KeyMarks,
    summary: RunSummary,
    counters: Mapping[str, int] | None,
    *,
    stopped: bool = False,
) -> KeyMarks:
    """Checks that a summary has each request that was sent exactly once, and that its sums agree.

    Args:
        requests: all that were to be fetched.
        summary: the graph's.
        counters: what Beam counted under the names of `RecordResults`, or None where a runner may
            count an expiration twice, since it may run a bundle again.
        stopped: whether the run was asked to stop, so that some requests were not sent.

    Returns:
        The requests, with 0 beside those that were not sent.

    Raises:
        BooksDiffer: they do not agree; the message names the difference.
    """
    marks = requests.fresh()
    ended: Counter[str] = Counter()
    twice: list[Key] = []
    rows = size = 0
    # The files have those of the summary, too, and others twice where a bundle was run again.
    for result in chain(summary.expirations, read_results(summary.results_files)):
        key = key_of(result)
        mark = marks[key]
        if mark is None or (mark and summary.whole):
            twice.append(key)
        if mark != 0:
            continue
        marks[key] = 1
        ended[result["status"]] += 1
        if result["status"] == WRITTEN:
            rows += result["rows"]
            size += result["bytes"]
    found = ended.total()
    if twice or (marks.left and not stopped):
        without = (each.key for each in marks.unmarked())
        raise BooksDiffer(
            f"{count(len(requests), 'file')} requested, and "
            f"{count(found + len(twice), 'result')}: {_names(without)} without a result, "
            f"{_names(twice)} with more than one"
        )
    _same("expiration", summary.total_expirations, found)
    _same("row", summary.total_records, rows)
    _same("byte", summary.total_data_size, size)
    if summary.whole:
        _same("file", len(summary.files_created), ended[WRITTEN])
    if counters is not None:
        _same("row", summary.total_records, counters.get("rows", 0))
        _same("byte", summary.total_data_size, counters.get("bytes", 0))
        for status in STATUSES:
            _same(f"{status} expiration", ended[status], counters.get(f"expirations_{status}", 0))
    return marks


def _names(keys: Iterable[Key]) -> str:
    keys = iter(keys)
    named = sorted(" ".join(key) for key in islice(keys, _NAMED))
    more = sum(1 for _ in keys)
    return ", ".join(named) + (f" and {more:,} more" if more else "") or "none"


def _same(what: str, summary: int, counted: int) -> None:
    if summary != counted:
        raise BooksDiffer(
            f"the summary has {count(summary, what)}, its results and counters {counted:,}: the "
            "files are whole, but do not trust this summary; `greeks verify` counts them anew"
        )
