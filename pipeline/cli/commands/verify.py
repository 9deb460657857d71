"""`greeks verify`: are the files still what the runs wrote?"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

from pipeline.cli.flags import add_flag

SUMMARY = "check every file of an output folder against the manifest"
DESCRIPTION = """\
Checks every file of an output folder against the manifest, from the files alone: that it is there,
its size, SHA-256, schema or header, and rows. Names what is wrong: also unfinished files of runs
that have ended, and files that no run made. Changes nothing."""
EPILOG = """\
examples:
  greeks verify
      the files in data/greeks

  greeks verify --output data/march --json
      the same of another folder, for a program to read

  greeks verify --output s3://bucket/greeks --s3_endpoint_url http://localhost:9000
      the same of a folder in an object store

exit codes: 0 all is well; 1 something is wrong, and named; 2 there is nothing to check, or it can't
be read.
"""
BEAM_FLAGS = False
STORAGE_FLAGS = True
OK, WRONG, UNUSABLE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks verify` to a parser."""
    add_flag(parser, "output", help="folder of the data files, as given to greeks download")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Verifies a folder, prints what was found, and returns the exit code."""
    from pipeline.folder import verify
    from pipeline.text import size_text

    try:
        found = verify(options.output)
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
        told = f"{found.files} files, {found.rows:,} rows, {size_text(found.bytes)}"
        if found.empty:
            told += f"; {found.empty} expirations without data"
        print(f"{told}: {_verdict(len(found.problems))}")
    return WRONG if found.problems else OK


def _verdict(problems: int) -> str:
    if not problems:
        return "all as it was written"
    return f"{problems} problem{'s' if problems > 1 else ''}"
