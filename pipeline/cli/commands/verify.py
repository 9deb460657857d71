"""`greeks verify`: checks the files against the manifest."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timezone

from pipeline.cli.flags import add_flag, add_progress_flags
from pipeline.process.standard_output import print_line

SUMMARY = "check every file of an output folder against the manifest"
DESCRIPTION = """\
Checks every file of an output folder against the manifest: whether it exists, its size, SHA-256,
schema or header, and rows. Reports every problem, including unfinished files of runs that have
ended, and files that no run made. Needs no Terminal, and changes no file without --fix. One that is
stopped goes on where it was."""
EPILOG = """\
examples:
  greeks verify
      the files in data/greeks

  greeks verify --output data/march --json
      another folder, with the result as JSON

  greeks verify --sample 5%
      a daily look: every file's size, and the bytes of 5 % of them, others each day

  greeks verify --fix
      sets aside files that no run made and files that are damaged, which the next run fetches

  greeks verify --output s3://bucket/greeks --s3_endpoint_url http://localhost:9000
      a folder in an object store

exit codes: 0 no problem; 1 problems were found and reported; 2 there is nothing to check, or it
can't be read.
"""
STORAGE_FLAGS = True
OK, WRONG, UNUSABLE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks verify` to a parser."""
    add_flag(parser, "output", help="folder of the data files, as given to greeks download")
    parser.add_argument(
        "--sample",
        type=_share,
        default=1.0,
        metavar="PERCENT",
        help="read only some of the files, such as 5%%: others each day. Every file's size is "
        "checked (default: all are read)",
    )
    parser.add_argument(
        "--fix",
        action="store_true",
        help="move files that no run made, and files that are not as they were written, into "
        "OUTPUT.meta/aside; the next run fetches what is missing. Unfinished files of runs that "
        "have ended are removed",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_progress_flags(parser)


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Verifies a folder, prints the problems, and returns the exit code."""
    from pipeline.errors import Conflict
    from pipeline.folder import repair, verify
    from pipeline.progress import tracked
    from pipeline.text import count, size_text

    track = tracked(options.progress, options.progress_seconds)
    today = datetime.now(timezone.utc).date()
    try:
        found = verify(options.output, track, options.sample, str(today))
        if options.fix and found.problems:
            found.fixed = repair(options.output, found)
    except KeyboardInterrupt:
        print_line("greeks verify: the next one goes on here", sys.stderr)
        raise
    except (OSError, ValueError, Conflict) as error:
        print_line(f"greeks verify: {error}", sys.stderr)
        return UNUSABLE
    if options.json:
        print(json.dumps(asdict(found), indent=2, ensure_ascii=False))
    else:
        for note in found.notes:
            print_line(f"note: {note}")
        for problem in found.problems:
            print_line(f"{problem.path} {problem.message}")
        for done in found.fixed:
            print_line(f"fixed: {done}")
        totals = [count(found.files, "file"), count(found.rows, "row"), size_text(found.bytes)]
        line = ", ".join(totals)
        if found.empty:
            line += f"; {found.empty:,} without data, and so without a file"
        if found.read < found.files:
            line += f"; {count(found.read, 'file')} read"
        verdict = "all as it was written"
        if found.problems:
            verdict = count(len(found.problems), "problem")
        print_line(f"{line}: {verdict}")
    return WRONG if found.problems else OK


def _share(text: str) -> float:
    """Returns the share that a percentage is."""
    percent = re.fullmatch(r"(\d+(?:\.\d+)?)%", text.strip())
    if percent is None or not 0 < float(percent[1]) <= 100:
        raise argparse.ArgumentTypeError(f"it is {text!r}, not a percentage such as 5%")
    return float(percent[1]) / 100
