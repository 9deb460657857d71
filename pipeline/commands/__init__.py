"""The commands of `greeks`: a module each, light to import, that this table names.

A command's module has `SUMMARY` (a line for the list of commands), `DESCRIPTION`, `EPILOG` (its
examples), `add_arguments(parser)` and `run(parser, options, rest)`, which returns the exit code.
`rest` is what the parser did not know: flags of Beam, for the commands that take them
(`BEAM_FLAGS`); any other command never sees one.
"""

import argparse
import logging
from collections.abc import Sequence
from types import ModuleType

from pipeline.commands import check, diff, download, report, terminal, verify

COMMANDS: dict[str, ModuleType] = {
    "download": download,
    "verify": verify,
    "check": check,
    "diff": diff,
    "report": report,
    "terminal": terminal,
}
"""The commands by name, in the order of the help."""


def make_parser(prog: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Adds every command to the parser of `greeks`, and returns each one's own parser."""
    commands = prog.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {}
    for name, module in COMMANDS.items():
        parser = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.add_arguments(parser)
        parsers[name] = parser
    return parsers


def run_command(
    parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]
) -> int:
    """Runs the command that `options` name, and returns its exit code.

    Args:
        parser: the command's own.
        options: as it parsed them.
        rest: what it did not know.

    Raises:
        SystemExit: with status 2, if there is a flag that nobody knows.
    """
    module = COMMANDS[options.command]
    if rest and not module.BEAM_FLAGS:
        parser.error(
            f"{rest[0]} is not a flag of greeks {options.command}; see "
            f"greeks {options.command} --help"
        )
    # Beam tells at length, also while it is imported, what is no news to a user.
    logging.getLogger().setLevel(logging.ERROR)
    code: int = module.run(parser, options, rest)
    return code
