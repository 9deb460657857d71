"""The commands of `greeks`: a module each, light to import, that this table names.

A command's module has `SUMMARY` (a line for the list of commands), `DESCRIPTION`, `EPILOG` (its
examples), `add_arguments(parser)` and `run(parser, options, rest)`, which returns the exit code.
`rest` is what the parser did not know: flags of Beam, for the commands that take them
(`BEAM_FLAGS = True`); any other command never sees one. Commands with `STORAGE_FLAGS = True` take
those of Beam's object stores, such as `--s3_endpoint_url`. `SYNOPSIS` is there where argparse's own
usage would list too many flags.
"""

import argparse
from collections.abc import Sequence
from types import ModuleType

from pipeline.cli.commands import (
    check,
    completion,
    config,
    diff,
    doctor,
    download,
    plan,
    query,
    report,
    runs,
    terminal,
    underlying,
    verify,
)
from pipeline.cli.parser import Parser
from pipeline.process.footprint import quiet_beam

COMMANDS: dict[str, ModuleType] = {
    "download": download,
    "plan": plan,
    "verify": verify,
    "check": check,
    "diff": diff,
    "query": query,
    "underlying": underlying,
    "report": report,
    "runs": runs,
    "doctor": doctor,
    "config": config,
    "terminal": terminal,
    "completion": completion,
}
"""The commands by name, in the order of the help."""


def add_commands(prog: Parser) -> None:
    """Adds every command to the parser of `greeks`."""
    # For a command that is about all of them.
    prog.set_defaults(root=prog)
    commands = prog.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, module in COMMANDS.items():
        parser = commands.add_parser(
            name,
            help=module.SUMMARY,
            usage=getattr(module, "SYNOPSIS", None),
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
        )
        module.add_arguments(parser)


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
    quiet_beam()
    if getattr(module, "STORAGE_FLAGS", False) and _may_be_of_a_store(options, rest):
        # Beam takes half a second: only for who needs it.
        from pipeline.cli.beam_flags import take_storage_flags

        rest = take_storage_flags(rest)
    if rest and not takes_beam_flags(options.command):
        parser.error(
            f"{rest[0]} is not a flag of greeks {options.command}; see "
            f"greeks {options.command} --help"
        )
    code: int = module.run(parser, options, rest)
    return code


def takes_beam_flags(command: str) -> bool:
    """Returns whether a command, by its name, takes all flags of Beam."""
    return bool(getattr(COMMANDS[command], "BEAM_FLAGS", False))


def _may_be_of_a_store(options: argparse.Namespace, rest: Sequence[str]) -> bool:
    """Returns whether flags that a command does not know can be those of an object store."""
    words = [*rest, *map(str, vars(options).values())]
    return bool(rest) and any("://" in word or word.startswith("--s3_") for word in words)
