"""`greeks underlying`: the underlying's prices of a folder in files of their own."""

import argparse
import sys
from collections.abc import Sequence

from pipeline.cli.flags import add_flag, add_progress_flags
from pipeline.process.standard_output import print_line

SUMMARY = "write the underlying's prices of a folder in files of their own"
DESCRIPTION = """\
Writes the underlying's prices that the rows of an output folder have, each time and price once, in
OUTPUT.underlying: a small file for each symbol and trade date. Only those whose data files changed
are made anew. greeks download --underlying_prices does the same at the end of each run."""
EPILOG = """\
examples:
  greeks underlying
      the prices of data/greeks, in data/greeks.underlying

  greeks underlying --output s3://bucket/greeks --s3_endpoint_url http://localhost:9000
      those of a folder in an object store

A file is made from all data files of its symbol and trade date, each proven by its SHA-256, or not
at all: data files that are missing or damaged are named.

exit codes: 0 every file is as it should be; 1 some could not be made; 2 the rows have no price of
the underlying, a run is writing to the folder, or it can't be read or written to.
"""
STORAGE_FLAGS = True
OK, SOME_LACKING, UNUSABLE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks underlying`."""
    add_flag(parser, "output", help="folder of the data files, as given to greeks download")
    add_progress_flags(parser)


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Brings the files of prices up to date, and returns the exit code."""
    from pipeline.errors import Conflict
    from pipeline.progress import tracked
    from pipeline.underlying.update import update_folder

    track = tracked(options.progress, options.progress_seconds)
    try:
        done = update_folder(options.output, track)
    except (OSError, ValueError, Conflict) as error:
        print_line(f"greeks underlying: {error}", sys.stderr)
        return UNUSABLE
    for problem in done.problems:
        print_line(f"greeks underlying: {problem}", sys.stderr)
    print_line(str(done))
    return SOME_LACKING if done.problems else OK
