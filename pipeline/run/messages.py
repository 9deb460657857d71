"""The messages of a download at its beginning and at its end."""

import sys
from collections.abc import Iterable, Iterator, Mapping

from pipeline.config import DownloadConfig
from pipeline.history import Record
from pipeline.messages import Messages
from pipeline.planning.plan import Plan
from pipeline.planning.source import SIMULATED, Source
from pipeline.process.standard_output import print_line
from pipeline.text import count, size_text, without_urls
from transforms.metrics.summary import RunSummary
from transforms.model import WRITTEN
from transforms.model.trade_dates import readable
from transforms.output.layout import BY_EXPIRATION, noun_of
from transforms.quality.limits import MISSING_DATES

_LISTED = 10


def announce(plan: Plan, source: Source, config: DownloadConfig, messages: Messages) -> None:
    """Reports which expirations will be fetched, and from where."""
    for note in plan.notes:
        messages.note(f"note: {note}")
    if plan.closed:
        days = ", ".join(f"{day:%A} {day}" for day in plan.closed)
        messages.note(f"the market was closed on {days}")
    if plan.requests:
        market = "a simulated market" if source.data == SIMULATED else "ThetaData"
        places = " and ".join(
            f"{each.url} ({each.api}), {each.slots} at a time" for each in source.terminals
        )
        messages.note(
            f"{_count(plan, config)} of {', '.join(config.symbols)}, "
            f"{count(len(plan.trading_days), 'trade date')} from {plan.trading_days[0]}, every "
            f"{config.interval}, from {market} at {places}"
        )


def _count(plan: Plan, config: DownloadConfig) -> str:
    expirations = count(plan.expirations, "expiration")
    if config.noun == noun_of(BY_EXPIRATION, ""):
        return expirations
    return f"{expirations} in {count(len(plan.requests), config.noun)}"


def announce_skipped(skipped: Mapping[str, int], messages: Messages) -> None:
    """Reports how many expirations need not be fetched, by reason, and how to fetch them anew."""
    for reason, number in sorted(skipped.items()):
        messages.note(f"skipped: {number} {reason} (--overwrite downloads them again)")


def conclude(summary: RunSummary, record: Record, path: str, output: str) -> None:
    """Prints the results and failures of a run, and the paths of its files."""
    counts = [
        f"{number} {status}"
        for status, number in (
            ("written", summary.successful_expirations),
            ("empty", summary.empty_expirations),
            ("skipped", summary.skipped_expirations),
            ("failed", summary.failed_expirations),
            ("interrupted", summary.interrupted_expirations),
        )
        if number or status == "written"
    ]
    noun = noun_of(record["request"]["layout"], record["request"]["greeks"])
    if summary.interrupted_expirations:
        left = summary.interrupted_expirations + summary.failed_expirations
        kept = count(summary.successful_expirations, "file")
        print(f"\ninterrupted: {kept} kept; the same command fetches the other {left:,}")
    else:
        print(
            f"\n{count(summary.total_expirations, noun)}: {', '.join(counts)}; "
            f"{count(summary.total_records, 'row')}, {size_text(summary.total_data_size)} "
            f"in {record['total_duration']:.1f} s "
            f"({record['average_throughput']:,.0f} rows/s), "
            f"peak memory {record['peak_memory_usage']:.0f} MiB"
        )
    for line in failure_lines(summary.errors, noun):
        print_line(line, sys.stderr)
    if (more := summary.failed_expirations - len(summary.errors)) > 0:
        print_line(f"failed: {more:,} more, in the results beside the summary", sys.stderr)
    if summary.provisional_expirations:
        print(
            f"{count(summary.provisional_expirations, f'provisional {noun}')}: the session of "
            "the last trade date had not ended; run again later"
        )
    _print_missing(summary, record)
    if all_empty(summary):
        print(
            "every expiration was empty on a trading day: the Terminal has no Greeks for it "
            "(too early for the symbol, or not in the subscription)",
            file=sys.stderr,
        )
    # Missing trade dates have lines of their own.
    rows = {rule: n for rule, n in summary.findings.items() if rule != MISSING_DATES}
    if rows:
        found = ", ".join(f"{rule} {number:,}" for rule, number in rows.items())
        print_line(f"quality: {found} (rows; examples in the summary)")
    elif record["request"]["check"] and summary.total_records and not summary.findings:
        print("quality: no finding")
    print_line(f"files:   {output}")
    print_line(f"summary: {path}")


def failure_lines(errors: Iterable[Mapping[str, str]], noun: str) -> Iterator[str]:
    """Yields the failures of a run, those of one reason together.

    Args:
        errors: each with its `expiration`, which may be empty, and its `message`.
        noun: what each of them is.
    """
    alike: dict[str, list[str]] = {}
    for error in errors:
        alike.setdefault(without_urls(error["message"]), []).append(error["expiration"])
    for message, expirations in alike.items():
        if len(expirations) == 1:
            of = f"{expirations[0]}: " if expirations[0] else ""
            yield f"failed: {of}{message}"
            continue
        yield f"failed: {count(len(expirations), noun)}: {message}"
        yield from (f"        {each}" for each in expirations[:_LISTED])
        if len(expirations) > _LISTED:
            yield f"        and {len(expirations) - _LISTED} more, which are in the summary"


def _print_missing(summary: RunSummary, record: Record) -> None:
    """Prints which files lack trade dates between or after those that have rows."""
    lacking = [
        each for each in summary.expirations if each["status"] == WRITTEN and each["missing_dates"]
    ]
    # Of a run that lists not all, those that were skipped count, too.
    number = len(lacking) if summary.whole else summary.incomplete_expirations
    for each in lacking[:_LISTED]:
        print(
            f"missing: {each['symbol']} expiring {each['expiration']}: no rows on "
            f"{readable(each['missing_dates'])}"
        )
    if number:
        more = f"{number - _LISTED} more are in the summary; " * (number > _LISTED)
        days = record["request"]["retry_empty_after"]
        print(
            f"missing: {more}trade dates without data are requested again by each run for "
            f"{days:g} {'day' if days == 1 else 'days'} (--retry_empty_after)"
        )


def succeeded(summary: RunSummary) -> bool:
    """Returns whether nothing failed, was interrupted, or had to be there and was not."""
    return not (summary.errors or summary.interrupted_expirations or all_empty(summary))


def all_empty(summary: RunSummary) -> bool:
    """Returns whether every expiration that was requested is empty.

    One that is empty by rule was not requested; one that an earlier run found empty was.
    """
    remembered = summary.skipped_empty_expirations
    requested = summary.total_requests > 0 or remembered > 0
    return requested and summary.total_expirations == summary.empty_expirations + remembered
