"""`greeks completion`: prints a script with which a shell completes commands and flags."""

import argparse
from collections.abc import Sequence

SUMMARY = "print a script with which a shell completes commands and flags"
DESCRIPTION = """\
Prints a script for a shell, which then completes the commands of greeks, their flags, the choices
of a flag, and paths."""
EPILOG = """\
examples:
  greeks completion bash > ~/.local/share/bash-completion/completions/greeks
      bash; works from the next shell on

  greeks completion zsh > ~/.zfunc/_greeks
      zsh, if fpath contains ~/.zfunc

  greeks completion fish > ~/.config/fish/completions/greeks.fish
      fish; works at once
"""
_PATHS = frozenset({"FILE", "FOLDER", "PATH", "WHERE", "A", "B"})
"""What the help calls a value that is a path."""
SHELLS = ("bash", "zsh", "fish", "tcsh")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's arguments."""
    parser.add_argument("shell", choices=SHELLS, help="name of the shell")


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Prints the script."""
    import shtab

    _mark_paths(options.root, shtab.FILE)
    print(shtab.complete(options.root, options.shell))
    return 0


def _mark_paths(parser: argparse.ArgumentParser, complete: object) -> None:
    """Marks the arguments of a parser, and of those below it, whose values are paths."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _mark_paths(below, complete)
        elif action.metavar in _PATHS:
            action.complete = complete  # type: ignore[attr-defined]  # -- shtab looks for it
