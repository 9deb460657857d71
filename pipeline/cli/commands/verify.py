"""`greeks verify`: checks the files against the manifest."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.cli.flags import add_flag, add_progress_flags

SUMMARY = "check every file of an output folder against the manifest"
DESCRIPTION = """\
Checks every file of an output folder against the manifest: whether it exists, its size, SHA-256,
schema or header, and rows. Reports every problem, including unfinished files of runs that have
ended, and files that no run made. Needs no Terminal, and changes nothing."""
EPILOG = """\
examples:
  greeks verify
      the files in data/greeks

  greeks verify --output data/march --json
      another folder, with the result as JSON

  greeks verify --output s3://bucket/greeks --s3_endpoint_url http://localhost:9000
      a folder in an object store

exit codes: 0 no problem; 1 problems were found and reported; 2 there is nothing to check, or it
can't be read.
"""
BEAM_FLAGS = False
STORAGE_FLAGS = True
OK, WRONG, UNUSABLE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks verify` to a parser."""
    add_flag(parser, "output", help="folder of the data files, as given to greeks download")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_progress_flags(parser)


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Verifies a folder, prints the problems, and returns the exit code."""
    from pipeline.folder import verify
    from pipeline.progress import tracked
    from pipeline.text import count, size_text

    try:
        found = verify(options.output, tracked(options.progress, options.progress_seconds))
    except (OSError, ValueError) as error:
        print(f"greeks verify: {error}", file=sys.stderr)
        return UNUSABLE
    if options.json:
        print(json.dumps(asdict(found), indent=2, ensure_ascii=False))
    else:
        for note in found.notes:
            print(f"note: {note}")
        for problem in found.problems:
            print(f"{problem.path} {problem.message}")
        totals = [count(found.files, "file"), count(found.rows, "row"), size_text(found.bytes)]
        line = ", ".join(totals)
        if found.empty:
            line += f"; {found.empty:,} without data, and so without a file"
        verdict = "all as it was written"
        if found.problems:
            verdict = count(len(found.problems), "problem")
        print(f"{line}: {verdict}")
    return WRONG if found.problems else OK
