"""Flags from a TOML file: `--config run.toml`. Its keys are the names of flags; flags win.

```toml
symbol = ["SPXW", "SPX"]
start_date = 2024-03-01
format = "parquet"
runner = "FlinkRunner"      # Beam's flags as well
```
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

from pipeline.cli.parser import not_a_flag
from pipeline.errors import ConfigError
from pipeline.process.footprint import quiet_beam

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FLAG = "--config"


def named_file(arguments: Sequence[str]) -> str | None:
    """Returns the file that the last `--config` among arguments names, or None."""
    named = None
    for place, argument in enumerate(arguments):
        flag, equals, value = argument.partition("=")
        if flag == FLAG:
            named = value if equals else next(iter(arguments[place + 1 : place + 2]), None)
    return named


def load(path: str) -> dict[str, Any]:
    """Returns the keys and values of a file, hyphens in a key as underscores.

    Raises:
        ConfigError: it can't be read, is not TOML, or has a table in it.
    """
    try:
        document = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise ConfigError(f"{FLAG} {path}: {words}") from None
    for key, value in document.items():
        if isinstance(value, dict):
            raise ConfigError(
                f"{FLAG} {path}: [{key}] is a table; keys are the names of flags, without tables"
            )
    return {key.replace("-", "_"): value for key, value in document.items()}


def to_arguments(
    path: str, values: Mapping[str, Any], parser: argparse.ArgumentParser
) -> list[str]:
    """Returns a file's values as arguments of a command.

    Args:
        path: of the file, for messages.
        values: as `load` returns them.
        parser: the command's own.

    Raises:
        ConfigError: a key is the name of no flag, ours or Beam's, or a value is not one of its
            flag's.
    """
    own = flags_of(parser)
    unknown = [name for name in values if name not in own]
    if unknown:
        _check_beams(path, unknown, own)
    arguments: list[str] = []
    for name, value in values.items():
        action = own.get(name)
        if action is not None:
            _check_value(path, action, value)
        if action is None:
            arguments += _beams(name, value)
        elif action.nargs == 0:
            arguments += _switch(action, on=value, others=own.values())
        else:
            arguments.append(f"--{name}={_text(value)}")
    return arguments


def flags_of(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Returns the flags of a parser that a file may have, by name."""
    # Help and the file itself are no settings.
    return {
        option.removeprefix("--"): action
        for option, action in parser._option_string_actions.items()
        if option.startswith("--") and option not in ("--help", FLAG)
    }


def _check_beams(path: str, names: list[str], own: Mapping[str, Any]) -> None:
    quiet_beam()
    # Beam takes half a second: only where there is a key that is not ours.
    from pipeline.cli.beam_flags import beam_flags

    beams = beam_flags()
    for name in names:
        if name not in beams:
            raise ConfigError(f"{FLAG} {path}: {not_a_flag(name, [*own, *beams])}")


def _check_value(path: str, action: argparse.Action, value: Any) -> None:
    """Checks that a flag takes a value.

    Raises:
        ConfigError: it does not; the message names the file.
    """
    name = action.option_strings[0].removeprefix("--")
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise ConfigError(f"{FLAG} {path}: {name} is {value!r}, neither true nor false")
        return
    text = _text(value)
    parsed: Any = text
    if callable(action.type):
        try:
            parsed = action.type(text)
        except (ValueError, TypeError, argparse.ArgumentTypeError) as error:
            raise ConfigError(f"{FLAG} {path}: {name} is {value!r}: {error}") from None
    if action.choices is not None and parsed not in action.choices:
        known = ", ".join(map(str, action.choices))
        raise ConfigError(f"{FLAG} {path}: {name} is {value!r}, not one of {known}")


def _switch(
    action: argparse.Action, *, on: bool, others: Iterable[argparse.Action]
) -> Iterator[str]:
    """Yields the flag without a value that a file turns on, or off by the flag that undoes it."""
    if on:
        yield action.option_strings[0]
        return
    for other in others:
        if other.dest == action.dest and action.const == (not other.const):
            yield other.option_strings[0]


def _beams(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, bool):
        if value:
            yield f"--{name}"
    elif isinstance(value, list):
        # Beam's lists are flags that come several times.
        for each in value:
            yield f"--{name}={_text(each)}"
    else:
        yield f"--{name}={_text(value)}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value)
