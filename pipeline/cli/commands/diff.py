"""`greeks diff`: compares two downloads of the same request."""

import argparse
import json
import sys
from collections.abc import Sequence

from pipeline.cli.flags import add_progress_flags
from pipeline.process.standard_output import print_line

SUMMARY = "compare two downloads of the same request, row by row"
DESCRIPTION = (
    "Compares two files, or all files of two folders, by the contracts and times of their rows: "
    "reports the rows that are only in one of them, the values that differ, and by how much."
)
EPILOG = """\
examples:
  greeks diff data/march data/march-again
      the rows that ThetaData has restated since

  greeks diff data/again
      the same for the files in data/greeks

  greeks diff --tolerance 0.0001 monday.csv.gz tuesday.parquet
      formats may differ; values that differ by at most 0.0001 are equal

  greeks diff data/march s3://bucket/march
      the same for copies in an object store

Files of two folders are paired by their paths, without the suffix. The rows of one trade date of
both files are held in memory, or both whole files if their rows are not sorted by date.

A file that can't be read is reported, and the other files are compared.

exit codes: 0 the rows are the same; 1 they differ; 2 a wrong flag, or a file can't be read.
"""
STORAGE_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks diff`."""
    parser.add_argument(
        "a",
        nargs="?",
        default="data/greeks",
        metavar="A",
        help="CSV or Parquet file, or a folder of such files (default: %(default)s)",
    )
    parser.add_argument("b", metavar="B", help="the file or folder to compare with A")
    parser.add_argument(
        "--tolerance",
        type=float,
        default=0.0,
        metavar="NUMBER",
        help="largest difference between two numbers that count as equal (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_progress_flags(parser)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Compares, prints the differences, and returns the exit code."""
    if not options.tolerance >= 0:
        parser.error(f"--tolerance is {options.tolerance}, not 0 or more")
    from pipeline.inspection import UnreadableFile, compare
    from pipeline.inspection.difference_text import text
    from pipeline.progress import tracked
    from pipeline.table import width_of

    track = tracked(options.progress, options.progress_seconds)
    try:
        difference = compare(options.a, options.b, options.tolerance, track)
    except UnreadableFile as error:
        print_line(f"greeks diff: {error}", sys.stderr)
        return 2
    for says in difference.unreadable:
        print_line(f"greeks diff: can't be read: {says}", sys.stderr)
    if options.json:
        print(json.dumps(difference.describe(), indent=2))
    else:
        for line in text(difference, options.a, options.b, width_of(sys.stdout)):
            print_line(line)
    if difference.unreadable:
        return 2
    return 0 if difference.same else 1
