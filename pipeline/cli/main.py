"""The command line, `greeks`."""

import re
import sys
from collections.abc import Sequence

from pipeline.cli.commands import add_commands, run_command, takes_beam_flags
from pipeline.cli.config_file import load, named_file, to_arguments
from pipeline.cli.parser import Parser
from pipeline.errors import ConfigError
from transforms.text.secrets import remember
from transforms.version import __version__

EPILOG = """\
examples:
  greeks download --symbol SPXW --start_date 2024-03-14 --terminal embedded
      one trade date of a simulated market; needs no subscription

  greeks doctor
      checks what a download needs

greeks COMMAND --help lists a command's flags and gives examples.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `greeks` and returns its exit code.

    Raises:
        SystemExit: with status 2 on a usage error, 0 after `--help` or `--version`.
    """
    parser = make_parser()
    arguments = _underscored(sys.argv[1:] if argv is None else argv)
    _refuse_other_bytes(parser, arguments)
    if (bare := _without_command(parser, arguments)) is not None:
        bare.print_help()
        return 0
    arguments, origins = _with_file(parser, arguments)
    options, rest = parser.parse_known_args(arguments)
    options.origins = origins
    return run_command(parser.commands[options.command], options, rest)


def make_parser() -> Parser:
    """Returns the parser of `greeks`, with all of its commands."""
    parser = Parser(
        prog="greeks",
        description="Downloads historical option Greeks from ThetaData, one file per expiration.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=f"greeks {__version__}")
    add_commands(parser)
    return parser


def _without_command(parser: Parser, arguments: Sequence[str]) -> Parser | None:
    """Returns the parser whose command is left out, such as that of `greeks runs` alone."""
    for word in arguments:
        if word not in parser.commands:
            return None
        parser = parser.commands[word]
    return parser if parser.commands else None


def _with_file(parser: Parser, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
    """Returns the arguments with those of a `--config` file before them, and where each came from.

    The origin of a flag is `flag` or the file's name; a default has none.
    """
    flags = (each for each in arguments if each.startswith("--") and each != "--")
    origins = {each.removeprefix("--").partition("=")[0]: "flag" for each in flags}
    path = named_file(arguments)
    # Below `greeks config` the flags come after one more word.
    words = 2 if arguments[:1] == ["config"] else 1
    command = parser.commands.get(arguments[0]) if arguments else None
    if path is None or command is None or not takes_beam_flags(arguments[0]):
        return arguments, origins
    reader = command.get_default("flags") or command
    try:
        values = load(path)
        for name, value in values.items():
            remember(str(value), name)
        added = to_arguments(path, values, reader)
    except ConfigError as error:
        reader.error(str(error))
    in_file = dict.fromkeys(values, path)
    return [*arguments[:words], *added, *arguments[words:]], in_file | origins


def _refuse_other_bytes(parser: Parser, arguments: Sequence[str]) -> None:
    """Refuses an argument whose bytes are not text: no manifest, record or query could name it."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        try:
            argument.encode()
        except UnicodeEncodeError:
            flag = f"{before} " if before.startswith("--") and "=" not in before else ""
            parser.error(f"{flag}{argument!r} is not UTF-8: rename the file or folder")


def _underscored(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments with hyphens in the names of flags as underscores."""
    return [
        re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), argument)
        for argument in arguments
    ]
