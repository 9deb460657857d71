"""Every setting and where it comes from, as a file that `--config` can read."""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from pipeline.cli.config_file import flags_of
from transforms.text.secrets import HIDDEN, is_secret, redacted

DEFAULT, FLAG = "default", "flag"


def given(arguments: list[str]) -> set[str]:
    """Returns the names of the flags among arguments."""
    return {
        argument.removeprefix("--").partition("=")[0]
        for argument in arguments
        if argument.startswith("--") and argument != "--"
    }


def setting_lines(
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
    return DEFAULT


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
