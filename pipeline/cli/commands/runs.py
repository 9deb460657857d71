"""`greeks runs`: lists, shows and compares earlier runs."""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.addresses import is_sql
from pipeline.cli.flags import add_flag
from pipeline.config.command import recorded_flags
from pipeline.config.output import metrics_problem
from pipeline.history.model import STATUSES
from pipeline.process.standard_output import print_line

if TYPE_CHECKING:
    from pipeline.history import RunHistory

SUMMARY = "list, show and compare earlier runs"
DESCRIPTION = "Shows the runs in the run history, including failed, interrupted and died runs."
EPILOG = """\
examples:
  greeks runs list --symbol SPXW --since 2026-11-01 --status failed
      the failed runs of a month, newest first

  greeks runs compare previous last
      the differences between the last two runs, and the regressions
"""
STORAGE_FLAGS = True
_RUN = "id of a run, or last or previous"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands below `greeks runs`, and their flags."""
    below = parser.add_subparsers(dest="runs_command", required=True, metavar="COMMAND")
    listing = _add(
        below,
        "list",
        "list runs, newest first",
        "  greeks runs list --limit 5\n\n"
        "  greeks runs list --metrics postgresql://me@db/greeks --since 2026-11-01 --json",
    )
    listing.add_argument(
        "--symbol", metavar="SPXW", help="only runs for this option root (default: all)"
    )
    listing.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="only runs that started at this time or later: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC "
        "(default: all)",
    )
    listing.add_argument(
        "--until",
        type=moment,
        metavar="TIME",
        help="only runs that started before this time, or before the start of this date, in UTC "
        "(default: all)",
    )
    listing.add_argument(
        "--status", choices=STATUSES, help="only runs with this status (default: all)"
    )
    listing.add_argument(
        "--limit",
        type=_count,
        default=20,
        metavar="N",
        help="maximum number of runs; 0 for all (default: %(default)s)",
    )
    showing = _add(
        below,
        "show",
        "show one run",
        "  greeks runs show last\n\n  greeks runs show 20261123T074711.381410Z --json",
    )
    showing.add_argument("run", metavar="RUN", help=_RUN)
    comparing = _add(
        below,
        "compare",
        "compare two runs; exits with 1 on a regression, or if a run failed with nothing fetched",
        "  greeks runs compare previous last\n\n"
        "  greeks runs compare 20261123T074711.381410Z last --tolerance 5",
    )
    comparing.add_argument("before", metavar="A", help=f"the earlier run: {_RUN}")
    comparing.add_argument("after", metavar="B", help=f"the later run: {_RUN}")
    comparing.add_argument(
        "--tolerance",
        type=float,
        default=10.0,
        metavar="PERCENT",
        help="largest change for the worse that is no regression (default: %(default)g)",
    )


def _add(
    below: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    made = below.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"examples:\n{examples}\n",
    )
    add_flag(made, "metrics")
    made.add_argument("--json", action="store_true", help="print JSON")
    return made


def moment(text: str) -> str:
    """Returns a time as records have it: ISO 8601 in UTC, comparable as text.

    Raises:
        argparse.ArgumentTypeError: it is no time.
    """
    from datetime import datetime, timezone

    try:
        parsed = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a time: YYYY-MM-DD or YYYY-MM-DDTHH:MM, in UTC"
        ) from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=timezone.utc)
    return parsed.astimezone(timezone.utc).isoformat()


def _count(text: str) -> int:
    if not text.strip().isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of runs: 0 or more")
    return int(text)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Prints runs; returns 1 if a run is not there, or is a regression, else 0."""
    from pipeline.history import NoSuchRun, StoreError, open_to_read

    if is_sql(options.metrics) and (problem := metrics_problem(options.metrics)):
        parser.error(f"--metrics {problem}")
    try:
        return {"list": _list, "show": _show, "compare": _compare}[options.runs_command](
            open_to_read(options.metrics), options
        )
    except (StoreError, NoSuchRun) as error:
        print_line(f"greeks runs: {error.args[0] if error.args else error}", sys.stderr)
        return 1


def _list(store: "RunHistory", options: argparse.Namespace) -> int:
    from pipeline.history import Query
    from pipeline.history.tables import head_lines
    from pipeline.process.colour import print_coloured
    from pipeline.table import width_of

    query = Query(
        symbol=options.symbol.upper() if options.symbol else None,
        since=options.since,
        until=options.until,
        status=options.status,
        limit=options.limit or None,
    )
    heads = store.heads(query)
    if options.json:
        print(json.dumps(list(heads), indent=2))
    else:
        line = ""
        for line, status in head_lines(heads, width_of(sys.stdout)):
            print_coloured(line, status, sys.stdout)
        if not line:
            print_line(f"no such run in {store.name}")
    for reason in store.skipped[:5]:
        print_line(f"skipped: {reason}", sys.stderr)
    if len(store.skipped) > 5:
        print_line(f"skipped: {len(store.skipped) - 5} more", sys.stderr)
    return 0


def _show(store: "RunHistory", options: argparse.Namespace) -> int:
    from pipeline.history import find_run
    from pipeline.history.tables import run_lines
    from pipeline.table import width_of

    record = find_run(store, options.run)
    if options.json:
        print(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        flags, width = recorded_flags(record.get("request") or {}), width_of(sys.stdout)
        for line in run_lines(record, store.results(record), flags, width):
            print_line(line)
    return 0


def _compare(store: "RunHistory", options: argparse.Namespace) -> int:
    from pipeline.history import find_run
    from pipeline.history.compare import compare, comparison_lines

    before, after = (find_run(store, each) for each in (options.before, options.after))
    comparison = compare(before, after, options.tolerance / 100)
    if options.json:
        print(json.dumps(comparison.describe(), indent=2))
    else:
        for line in comparison_lines(comparison):
            print_line(line)
    return 1 if comparison.regressions or comparison.refused else 0
