"""`greeks config`: shows the settings of a download."""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pipeline.cli.config_file import flags_of
from pipeline.cli.flags import add_download_flags
from pipeline.config.download_config import settle
from transforms.text.secrets import HIDDEN, is_secret, redacted

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
    from pipeline.errors import ConfigError

    settle(options)
    beams = {}
    if rest:
        from pipeline.cli.beam_flags import given_beam_flags

        try:
            beams = given_beam_flags(rest, own_flags(options.flags))
        except ConfigError as error:
            parser.error(str(error))
    print("\n".join(_setting_lines(options.flags, options, beams, options.origins)))
    return 0


def _setting_lines(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    beams: Mapping[str, Any],
    origins: Mapping[str, str],
) -> Iterator[str]:
    """Yields each setting as a line of TOML with its origin as a comment.

    A setting without a value, such as a Terminal that has yet to be found, is a comment as a whole.
    Passwords are redacted.

    Args:
        parser: of the flags.
        options: the values in force.
        beams: Beam's flags that were given, by name.
        origins: of each flag that is not a default.
    """
    values = {name: _value(options, action) for name, action in flags_of(parser).items()}
    for name, shown in [*values.items(), *beams.items()]:
        value = HIDDEN if shown and is_secret(name) else shown
        origin = origins.get(name) or _other_origin(name, parser, origins)
        if value is None or value in ("", ()):
            yield f"{'# ' + name:<43}  # {origin}: none"
        else:
            yield f"{f'{name} = {_toml(value)}':<43}  # {origin}"


def _other_origin(name: str, parser: argparse.ArgumentParser, origins: Mapping[str, str]) -> str:
    """Where a value came from whose own flag was not given: another flag may set the same."""
    flags = flags_of(parser)
    if name in flags:
        for other, origin in origins.items():
            if other in flags and flags[other].dest == flags[name].dest:
                return origin
    return "default"


def _value(options: argparse.Namespace, action: argparse.Action) -> Any:
    value = getattr(options, action.dest)
    # A flag without a value is on where it has set what it sets, which another one may do as well.
    return value == action.const if action.nargs == 0 else value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return str(value)
    # A JSON string is a basic string of TOML.
    return json.dumps(redacted(str(value)), ensure_ascii=False)
