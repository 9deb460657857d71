"""`greeks config`: shows the settings of a download."""

import argparse
from collections.abc import Sequence

from pipeline.cli.flags import add_download_flags
from pipeline.config.download_config import settle

SUMMARY = "show the settings, and where each comes from"
DESCRIPTION = "Shows the settings of a download. --config reads them from a file."
EPILOG = """\
examples:
  greeks config show
      the defaults

  greeks config show --config run.toml --max_dte 7
      the settings of a download with these flags, as a file for --config
"""
BEAM_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command below `greeks config`, and its flags."""
    below = parser.add_subparsers(dest="config_command", required=True, metavar="COMMAND")
    showing = below.add_parser(
        "show",
        help="show every setting, its value, and where it comes from",
        description="Shows every setting of a download as a line of TOML, as --config reads it, "
        "and where its value comes from: a flag, a file, or the default.",
        epilog="examples:\n  greeks config show\n\n"
        "  greeks config show --config run.toml --format parquet > new.toml\n",
        usage="greeks config show [FLAG ...] [BEAM_FLAG ...]",
    )
    add_download_flags(showing, required=False)
    # A file of settings is read with these flags, not with those of `greeks config`.
    parser.set_defaults(flags=showing)


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Prints the settings and returns the exit code."""
    from pipeline.cli.commands.download import own_flags
    from pipeline.cli.settings import setting_lines
    from pipeline.errors import ConfigError

    settle(options)
    beams = {}
    if rest:
        from pipeline.cli.beam_flags import given_beam_flags

        try:
            beams = given_beam_flags(rest, own_flags(options.flags))
        except ConfigError as error:
            parser.error(str(error))
    print("\n".join(setting_lines(options.flags, options, beams, options.origins)))
    return 0
