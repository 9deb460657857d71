"""The command line, `greeks`."""

import argparse
import re
import sys
from collections.abc import Sequence

from pipeline.commands import make_parser, run_command
from transforms.version import __version__


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `greeks` and returns its exit code.

    Raises:
        SystemExit: with status 2 on a usage error, 0 after `--help` or `--version`.
    """
    parser, commands = parsers()
    arguments = _underscored(sys.argv[1:] if argv is None else argv)
    options, rest = parser.parse_known_args(arguments)
    return run_command(commands[options.command], options, rest)


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Returns the parser of `greeks`, and that of each command by its name."""
    parser = argparse.ArgumentParser(
        prog="greeks",
        description="Downloads historical option Greeks from ThetaData, one file per expiration.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"greeks {__version__}")
    return parser, make_parser(parser)


def _underscored(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments with hyphens in the names of flags as underscores."""
    return [
        re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), argument)
        for argument in arguments
    ]
