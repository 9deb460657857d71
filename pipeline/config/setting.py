"""A setting: what the user of one field of `DownloadConfig` reads, types and may give."""

import argparse
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, field, replace
from typing import Any

from pipeline.config.values import PARSERS, text_of, typed
from pipeline.errors import ConfigError

Check = Callable[[Any, Any], str]
"""Takes a value and the whole configuration. Returns the problem of the value, as the end of a
sentence that begins with its flag, or an empty text. May raise a ValueError with a sentence of its
own."""

_KEY = "setting"


class Several(tuple[str, ...]):
    """Choices of which a text may name several, each once, separated by commas."""

    __slots__ = ()

    def __contains__(self, text: object) -> bool:
        names = str(text).split(",")
        return len({*names} & {*self}) == len(names)


@dataclass(frozen=True)
class Switch:
    """A flag without a value of its own: it gives a setting one certain value.

    Attributes:
        flag: its name, without hyphens.
        value: what it gives.
        help: what it does.
    """

    flag: str
    value: Any
    help: str


@dataclass(frozen=True)
class Setting:
    """One setting: all that the command line, a file of settings and the documentation need.

    Attributes:
        group: the heading in the help.
        help: what it does, without its default.
        metavar: what the help calls its value; empty where the choices are named.
        choices: the values that it may have; empty for any that `check` lets pass. `Several` may
            be named at once.
        check: finds the problem of a value.
        flag: its name, without hyphens; empty for the field's. A bool has only switches.
        parse: reads its text; None for what the field's type has in common.
        default_text: the default in words; empty for the value itself.
        implied: returns the default from the other settings, where it depends on them.
        switches: flags without a value that set it, too.
        parameter: ThetaData's parameter that it is; empty if it is none.
        in_record: whether the run summary keeps it.
        name: of the field.
        kind: the type of the field.
        default: of the field; None if it must be given, or is implied.
        required: whether it must be given.
    """

    group: str
    help: str = ""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    check: Check | None = None
    flag: str = ""
    parse: Callable[[str], Any] | None = None
    default_text: str = ""
    implied: Callable[[Any], Any] | None = None
    switches: tuple[Switch, ...] = ()
    parameter: str = ""
    in_record: bool = True
    name: str = ""
    kind: Any = str
    default: Any = None
    required: bool = False

    def default_for(self, settings: Any) -> Any:
        """Returns its default, which other settings may imply; None if it must be given."""
        return self.default if self.implied is None else self.implied(settings)

    def read(self, value: Any) -> Any:
        """Returns a value as its field has it: text, or a list of it, is read as on a command line.

        Raises:
            ConfigError: it is of another type, text that can't be read, or none of the choices.
        """
        if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
            value = ",".join(value)
        if isinstance(value, str) and self.kind is not bool:
            try:
                value = (self.parse or str)(value)
            except argparse.ArgumentTypeError as error:
                raise ConfigError(f"--{self.flag}: {error}") from None
            except ValueError:
                raise ConfigError(
                    f"--{self.flag} is {value!r:.80}, not of the type {self.kind.__name__}"
                ) from None
        else:
            value = typed(value, self.kind, f"--{self.flag}")
        if problem := self.not_a_choice(value):
            raise ConfigError(problem)
        return value

    def not_a_choice(self, value: Any) -> str:
        """Returns that a value is none of the choices, or an empty text."""
        if not self.choices or value in self.choices:
            return ""
        return f"--{self.flag} is {value!r}, not one of {', '.join(self.choices)}"

    def problem(self, config: Any) -> str:
        """Returns the problem of its value, as a sentence that names the flag, or an empty text."""
        value = getattr(config, self.name)
        if problem := self.not_a_choice(value):
            return problem
        if self.check is None or value is None:
            return ""
        try:
            found = self.check(value, config)
        except ValueError as error:
            return f"--{self.flag}: {error}"
        return f"--{self.flag} {found}" if found else ""

    def words(self, value: Any) -> list[str]:
        """Returns the words of a command line that give it a value."""
        for switch in self.switches:
            if self.kind is bool and switch.value == value:
                return [f"--{switch.flag}"]
        text = text_of(value)
        # argparse takes a word that begins with a hyphen for a flag.
        return [f"--{self.flag}={text}"] if text.startswith("-") else [f"--{self.flag}", text]


def setting(default: Any, help: str = "", /, *, group: str, **more: Any) -> Any:
    """Returns a dataclass's field that is a `Setting`; `MISSING` stands for no default."""
    return field(default=default, metadata={_KEY: Setting(group, help, **more)})


def setting_of(declaration: "Field[Any]") -> Setting:
    """Returns the setting that a field is.

    Raises:
        KeyError: it is none.
    """
    declared: Setting = declaration.metadata[_KEY]
    has_default = declaration.default is not MISSING
    return replace(
        declared,
        name=declaration.name,
        flag=declared.flag or declaration.name,
        kind=declaration.type,
        parse=declared.parse or PARSERS[declaration.type],
        default=None if declared.implied or not has_default else declaration.default,
        required=declared.implied is None and not has_default,
    )
