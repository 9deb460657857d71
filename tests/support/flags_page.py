"""docs/flags.md, from the parsers: `python -m tests.support.flags_page > docs/flags.md`."""

import argparse

from pipeline.cli.main import make_parser

HEAD = """\
# Flags

This page is generated from the program's own parsers, and a test compares the two
(`tests/pipeline/cli/test_flags_page.py`). After a change of a flag:
`.venv/bin/python -m tests.support.flags_page > docs/flags.md`.

`greeks COMMAND --help` prints the same. `download` and `plan` also take
[Beam's own flags](clusters.md), such as `--runner`. No flag may be abbreviated.
"""


def flags_page() -> str:
    """Returns the page, as Markdown: a section for each command, a table for each group."""
    commands = make_parser().commands
    parts = [HEAD]
    for name, parser in commands.items():
        parts += _command(f"greeks {name}", parser)
    return "\n".join(parts)


def every_flag() -> list[tuple[str, str]]:
    """Returns each flag of each command, as `("greeks download", "--symbol")`."""
    commands = make_parser().commands
    return [
        (command, option)
        for name, top in commands.items()
        for command, parser in _with_children(f"greeks {name}", top)
        for action in parser._actions
        for option in action.option_strings
        if option.startswith("--") and option != "--help"
    ]


def _with_children(
    name: str, parser: argparse.ArgumentParser
) -> list[tuple[str, argparse.ArgumentParser]]:
    children = [
        found
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
        for child, made in action.choices.items()
        for found in _with_children(f"{name} {child}", made)
    ]
    return [(name, parser), *children]


def _command(name: str, top: argparse.ArgumentParser) -> list[str]:
    parts = []
    for command, parser in _with_children(name, top):
        actions = [action for action in parser._actions if not _hidden(action)]
        parts.append(f"## {command}\n")
        parts.append(f"{' '.join(_cell(parser.description or '').split())}\n")
        if command in SAME_AS_DOWNLOAD:
            parts.append("It also takes every flag of [`greeks download`](#greeks-download).\n")
            actions = [action for action in actions if action.dest not in _download_flags()]
        for group in parser._action_groups:
            rows = [_row(parser, action) for action in actions if action in group._group_actions]
            if rows:
                # Not argparse's own groups, of arguments without a theme.
                themed = group not in (parser._positionals, parser._optionals)
                parts += [f"### {command}: {group.title}\n"] if themed else []
                parts += ["| flag | meaning |", "|---|---|", *rows, ""]
    return parts


SAME_AS_DOWNLOAD = ("greeks plan", "greeks config show")


def _download_flags() -> set[str]:
    return {action.dest for action in make_parser().commands["download"]._actions}


def _hidden(action: argparse.Action) -> bool:
    return action.help == argparse.SUPPRESS or isinstance(
        action, argparse._HelpAction | argparse._SubParsersAction
    )


def _row(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    # argparse alone knows how it writes a flag with its value.
    invocation = parser._get_formatter()._format_action_invocation(action)
    text = parser._get_formatter()._expand_help(action)
    return f"| {_code(invocation)} | {_cell(text)} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


def _cell(text: str) -> str:
    """Returns the text as Markdown: braces and brackets as they are, no pipe ends the cell."""
    for special in "\\|*<>[]":
        text = text.replace(special, f"\\{special}")
    return text


if __name__ == "__main__":
    print(flags_page(), end="")
