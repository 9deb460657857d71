"""`greeks download`: from its flags to a run."""

import argparse
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.cli.flags import add_download_flags, config_from
from pipeline.config import DownloadConfig
from pipeline.errors import ConfigError
from pipeline.process.footprint import importing
from transforms.output.layout import FIELDS

if TYPE_CHECKING:
    from apache_beam.options.pipeline_options import PipelineOptions

SUMMARY = "download the Greeks of all expirations for a range of trade dates"
DESCRIPTION = "Downloads option Greeks, one file per expiration, each as soon as it is complete."
EPILOG = f"""\
examples:
  greeks download --symbol SPXW --start_date 2024-03-14
      every expiration within 30 days of one trade date, from the Terminal on this machine

  greeks download --symbol SPXW,SPX --start_date 2024-03-01 --end_date 2024-03-28 \\
      --max_dte 7 --interval 1m --format parquet --output data/march
      a month of the nearest expirations, one row per minute

  greeks download --symbol SPXW --start_date 2024-01-02 --end_date today --layout daily
      for a run every evening: downloads the trade dates that are not there yet

  greeks download --symbol @symbols.txt --start_date yesterday --json > events.jsonl
      the symbols of a file, with the run's events for a scheduler

fields of --file_name_pattern: {{{"}, {".join(FIELDS)}}};
dates take a format, such as {{expiration:%Y%m%d}}. The suffix is added.

Beam's options may follow, such as --runner. Hyphens work as underscores. Abbreviated
flags are refused.

exit codes: 0 all expirations are written, empty or skipped, or the market was closed; 1 an
expiration failed, or nothing matched; 2 a wrong flag, another run or files of another request are
in the way, or the disk is too small; 3 no Terminal answers; 129, 130 or 143 interrupted.
"""
BEAM_FLAGS = True
SYNOPSIS = "greeks download --symbol SPXW --start_date DATE [FLAG ...] [BEAM_FLAG ...]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of `greeks download`."""
    own = parser.add_argument_group("for programs")
    own.add_argument(
        "--json",
        action="store_true",
        help="print the run's events on standard output, a JSON object a line (started, result, "
        "finding, summary), and all else on standard error",
    )
    add_download_flags(parser)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Runs a download and returns the exit code."""
    with importing():
        config, beam_options = configure(parser, options, rest)
        from pipeline.run.command import download

    return download(config, beam_options, options.json)


def configure(
    parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]
) -> "tuple[DownloadConfig, PipelineOptions]":
    """Returns the configuration of a download and Beam's options, from the flags.

    Raises:
        SystemExit: with status 2, after a message that names the wrong flag.
    """
    try:
        config = config_from(options)
        # Beam takes half a second and 120 MiB: not for --help, nor for a mistyped date.
        from pipeline.cli.beam_flags import parse_beam_flags

        beam_options = parse_beam_flags(rest, own_flags(parser))
    except ConfigError as error:
        parser.error(str(error))
    return config, beam_options


def own_flags(parser: argparse.ArgumentParser) -> list[str]:
    """Returns the flags of a command's own parser."""
    return re.findall(r"--\w+", parser.format_help())
