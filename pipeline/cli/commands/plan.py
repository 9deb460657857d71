"""`greeks plan`: what a download would do, before it does."""

import argparse
from collections.abc import Sequence

from pipeline.cli.commands.download import configure
from pipeline.cli.flags import add_download_flags

SUMMARY = "tell what a download would do, and fetch nothing"
DESCRIPTION = """\
Tells which expirations a download with the same flags would fetch, in how many requests, what they
would come to in rows, bytes and minutes, and what is there already or in the way. The estimate is
taken from earlier runs; where there are none, one trade date of one expiration is fetched and
thrown away."""
EPILOG = """\
examples:
  greeks plan --symbol SPXW --start_date 2024-03-01 --end_date 2024-03-28 --interval 1m
      what a month would come to

  greeks plan --symbol SPXW,SPX --start_date 2024-03-14 --probe never --json
      for a program, and without a single row fetched

exit codes: 0 it could run; 1 nothing matches, or the Terminal refuses; 2 a wrong flag, files of
another request are in the way, or too little room; 3 no Terminal answers.
"""
BEAM_FLAGS = True
SYNOPSIS = "greeks plan --symbol SPXW --start_date DATE [FLAG ...] [BEAM_FLAG ...]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of a download, and the plan's own."""
    own = parser.add_argument_group("of the plan itself")
    own.add_argument(
        "--probe",
        default="auto",
        choices=("auto", "always", "never"),
        help="whether to fetch one trade date of one expiration for the estimate; auto: where no "
        "earlier run tells (default: %(default)s)",
    )
    own.add_argument("--json", action="store_true", help="as JSON, for other programs")
    add_download_flags(parser)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Prints the plan and returns the exit code."""
    config, beam_options = configure(parser, options, rest)
    from apache_beam.io.filesystems import FileSystems

    from pipeline.planning.command import preview

    FileSystems.set_options(beam_options)
    return preview(config, options.probe, options.json)
