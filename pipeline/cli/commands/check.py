"""`greeks check`: whether the numbers in files can be trusted."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from pipeline.cli.flags import add_progress_flags
from pipeline.process.standard_output import print_line
from transforms.orders import INTERVALS
from transforms.quality.limits import ANY, RULES, TOGETHER, broken, parse_limits

SUMMARY = "check files of Greeks for impossible values, and recompute every Greek"
DESCRIPTION = (
    "Checks files of Greeks, made by this project or any other that uses ThetaData's column names, "
    "and reports what can't be right."
)
_WIDTH = max(map(len, [*RULES, *TOGETHER]))
EPILOG = f"""\
examples:
  greeks check
      all files of a download, which are in data/greeks

  greeks check --fail_on "zero_greeks>5%,holes>1%" --json data/spxw/2024-03-15/SPXW_20240315.parquet
      for a script: allow some findings, and print JSON

  greeks check s3://bucket/greeks --s3_endpoint_url http://localhost:9000
      a folder in an object store

rules:
{chr(10).join(f"  {rule:<{_WIDTH}}  {says}" for rule, says in (RULES | TOGETHER).items())}

ThetaData's own conventions are no findings: no quote at 09:30, implied volatility 0 for a price
below the intrinsic value, bids of 0 far out of the money, quotes that stay after an early close.

The files do not contain the interest rate that the Greeks were computed with. Without --rate, it is
estimated from the rows of each expiration and trade date: it is the rate at which their
volatilities give their prices. One number from thousands of rows can't hide a wrong row; compare it
with that date's SOFR.

A file that can't be read is reported, and the other files are checked; so are the rows before the
error in that file.

exit codes: 0 no findings, or no more than --fail_on allows; 1 more findings; 2 a wrong flag, or a
file can't be read.
"""
STORAGE_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks check`."""
    parser.add_argument(
        "files",
        nargs="*",
        default=["data/greeks"],
        metavar="FILE",
        help="CSV or Parquet file, or a folder of such files (default: data/greeks)",
    )
    add_progress_flags(parser)
    parser.add_argument(
        "--fail_on",
        default=ANY,
        metavar="RULES",
        help="exit with 1 if more is found than these rules allow, such as "
        "zero_greeks>5%%,holes>1%%,duplicates (default: no finding is allowed)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--rate",
        type=float,
        metavar="RATE",
        help="interest rate that the Greeks were computed with, 0.0531 for 5.31 %% (default: "
        "estimated from the rows)",
    )
    parser.add_argument(
        "--annual_dividend",
        type=float,
        metavar="USD",
        help="annual dividend per share that the Greeks were computed with (default: the "
        "manifest's, else none)",
    )
    parser.add_argument(
        "--greeks_version",
        choices=["latest", "1"],
        help="how ThetaData counted the time to expiration in the last week, for files without a "
        "manifest whose rows don't show it: latest, or 1, which is v2's, too (default: the one "
        "that the rows fit)",
    )
    parser.add_argument(
        "--interval",
        choices=INTERVALS,
        metavar="INTERVAL",
        help="time between two rows of a contract; if it is given, times that all contracts lack "
        "are reported, too (default: the manifest's, else the rows')",
    )


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Checks files, prints the findings, and returns the exit code."""
    try:
        limits = parse_limits(options.fail_on, (*RULES, *TOGETHER))
    except ValueError as error:
        parser.error(f"--fail_on: {error}")
    from pipeline.inspection.assumptions import assumptions_of
    from pipeline.inspection.check_text import json_text, text
    from pipeline.inspection.files import UnreadableFile, find_files
    from pipeline.inspection.reader import read_batches
    from pipeline.progress import make_display, walk
    from pipeline.table import width_of
    from transforms.audit.assumptions import Assumptions
    from transforms.audit.audit import Audit

    given = Assumptions(
        options.rate, options.annual_dividend, options.greeks_version, options.interval
    )
    check = Audit(given)
    unreadable: dict[str, str] = {}
    try:
        paths = find_files(options.files)
    except UnreadableFile as error:
        print_line(f"greeks check: {error}", sys.stderr)
        return 2
    display = make_display(options.progress, options.progress_seconds)
    with walk(display, len(paths)) as progress:
        for path in paths:
            check.assume(assumptions_of(path, given))
            try:
                for table in read_batches(path):
                    check.add(table, path)
                    progress.passed(table.num_rows, table.nbytes)
            except UnreadableFile as error:
                unreadable[path] = f"can't be read: {error}"
            check.end_of_file()
            progress.done()
    for says in unreadable.values():
        print_line(f"greeks check: {says}", sys.stderr)
    checked = check.finish()
    counts: Counter[str] = Counter()
    rows = 0
    for one in checked:
        rows += one.quality.rows
        for finding in one.findings:
            counts[finding.rule] += finding.count
    if not rows:
        if not unreadable:
            print_line(f"greeks check: there are no rows in {', '.join(options.files)}", sys.stderr)
        return 2
    above = broken(limits, counts, rows)
    if options.json:
        together = {
            "rows": rows,
            "findings": counts,
            "above_fail_on": above,
            "unreadable": [
                {"file": path, "severity": "error", "says": says}
                for path, says in unreadable.items()
            ],
            "recomputation": {
                "rates": check.rates,
                "errors": check.errors.total(),
                "cells": check.errors.describe(),
            },
            "parity": check.parity,
            "notes": check.notes,
        }
        for piece in json_text(together, checked):
            print(piece, end="")
    else:
        for line in text(checked, check, [*unreadable.values()], width_of(sys.stdout)):
            print_line(line)
        for sentence in above:
            print_line(f"--fail_on {sentence}", sys.stderr)
    return 2 if unreadable else 1 if above else 0
