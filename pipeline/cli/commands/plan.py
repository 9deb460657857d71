"""`greeks plan`: shows what a download would do."""

import argparse
from collections.abc import Sequence

from pipeline.cli.commands.download import configure
from pipeline.cli.flags import add_download_flags

SUMMARY = "show what a download would do, without downloading"
DESCRIPTION = """\
Shows which expirations a download with the same flags would fetch, in how many requests, with an
estimate of rows, bytes and minutes, and which files exist already or are in the way. The estimate
comes from earlier runs; if there are none, one trade date of one expiration is fetched and
discarded."""
EPILOG = """\
examples:
  greeks plan --symbol SPXW --start_date 2024-03-01 --end_date 2024-03-28 --interval 1m
      the size and the time of a month

  greeks plan --symbol SPXW,SPX --start_date 2024-03-14 --probe never --json
      for a program, without fetching any row

exit codes: 0 the download can run; 1 nothing matches, or the Terminal refuses; 2 a wrong flag,
files of another request are in the way, or the disk is too small; 3 no Terminal answers.
"""
BEAM_FLAGS = True
SYNOPSIS = "greeks plan --symbol SPXW --start_date DATE [FLAG ...] [BEAM_FLAG ...]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of a download, and the plan's own."""
    own = parser.add_argument_group("plan")
    own.add_argument(
        "--probe",
        default="auto",
        choices=("auto", "always", "never"),
        help="fetch one trade date for the estimate: of one expiration, or of all that share it; "
        "auto: only without a suitable earlier run (default: %(default)s)",
    )
    own.add_argument("--json", action="store_true", help="print JSON")
    add_download_flags(parser)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Prints the plan and returns the exit code."""
    config, beam_options = configure(parser, options, rest)
    from apache_beam.io.filesystems import FileSystems

    from pipeline import runners
    from pipeline.planning.command import preview

    FileSystems.set_options(beam_options)
    shares = runners.is_local(beam_options) and not runners.has_processes(beam_options)
    return preview(config, options.probe, options.json, shares=shares)
