"""The settings of one download: a frozen value, checked once."""

from dataclasses import dataclass, fields
from datetime import date
from difflib import get_close_matches
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from pipeline.config.computation import ComputationSettings
from pipeline.config.existing_files import ExistingFilesSettings
from pipeline.config.output import OutputSettings
from pipeline.config.progress import ProgressSettings
from pipeline.config.quality import QualitySettings
from pipeline.config.selection import SelectionSettings
from pipeline.config.setting import Setting, setting_of
from pipeline.config.source import EMBEDDED, TIERS, SourceSettings, named_terminals
from pipeline.errors import ConfigError
from transforms.orders import ORDERS, PARAMETERS
from transforms.output.layout import PATTERNS
from transforms.text.secrets import redacted, remember


# A dataclass takes the fields of its last base first.
@dataclass(frozen=True)
class DownloadConfig(
    ExistingFilesSettings,
    ProgressSettings,
    OutputSettings,
    QualitySettings,
    SourceSettings,
    ComputationSettings,
    SelectionSettings,
):
    """One download. Each base declares the settings of one group of flags, a field each.

    Raises:
        ConfigError: a value can't be used; the message names its flag.
    """

    def __post_init__(self) -> None:
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            if isinstance(value, str):
                remember(value)
            if problem := setting.problem(self) or self._misplaced(setting, value):
                raise ConfigError(problem)

    @classmethod
    def of(cls, **settings: Any) -> "DownloadConfig":
        """Returns the configuration of some settings; the others have their defaults.

        Args:
            settings: a value for each, by the name of its field. Text is read as on the command
                line, so that `symbols="SPXW,SPX"` and `start_date="2024-03-14"` will do.

        Raises:
            ConfigError: a value can't be used, or must be given.
            TypeError: there is no such setting.

        >>> DownloadConfig.of(symbols="SPXW", start_date="2024-03-14").end_date
        datetime.date(2024, 3, 14)
        """
        names = [setting.name for setting in SETTINGS]
        for name in settings:
            if name not in names:
                near = get_close_matches(name, names, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise TypeError(f"a download has no setting {name!r}{hint}")
        values = SimpleNamespace()
        for setting in SETTINGS:
            if setting.name in settings:
                value = setting.read(settings[setting.name])
            elif setting.required:
                raise ConfigError(f"--{setting.flag} must be given")
            else:
                value = None if setting.implied else setting.default
            setattr(values, setting.name, value)
        settle(values)
        return cls(**vars(values))

    def _misplaced(self, setting: Setting, value: Any) -> str:
        """Returns that the order of data does not have a parameter that is given, if so."""
        name = setting.parameter
        if not name or value is None or name in ORDERS[self.greeks].v3.parameters:
            return ""
        having = ", ".join(order.name for order in ORDERS.values() if name in order.v3.parameters)
        return f"--{setting.flag} does not apply to --greeks {self.greeks}, but to {having}"

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """The parameters of ThetaData's that are given, as (name, value), by name."""
        given = {
            setting.parameter: getattr(self, setting.name)
            for setting in SETTINGS
            if setting.parameter
        }
        return tuple((name, given[name]) for name in PARAMETERS if given[name] is not None)

    @property
    def schema(self) -> pa.Schema:
        """The schema of the files."""
        return ORDERS[self.greeks].file_schema(self.derive)

    @property
    def pattern(self) -> str:
        """The pattern that names the files."""
        return self.file_name_pattern or PATTERNS[self.layout]

    @property
    def terminals(self) -> tuple[str, ...]:
        """The addresses of the Terminals that are named; none for one that is embedded."""
        return () if self.terminal == EMBEDDED else named_terminals(self.terminal)

    def outstanding(self, api: str) -> int:
        """Returns how many requests may be under way at once at a Terminal of a generation."""
        return self.concurrency or TIERS[self.tier][api]

    def describe(self) -> dict[str, Any]:
        """Returns the configuration as the run summary keeps it: JSON-ready, under flag names."""
        kept = {
            setting.flag: _plain(getattr(self, setting.name))
            for setting in SETTINGS
            if setting.in_record and not setting.parameter
        }
        return kept | {"parameters": dict(self.parameters)}


SETTINGS: tuple[Setting, ...] = tuple(map(setting_of, fields(DownloadConfig)))
"""Every setting of a download, in the order of the help."""


def settle(settings: Any) -> None:
    """Gives the settings whose default depends on others the value that is in force.

    Args:
        settings: has each as an attribute, which is None where it was not given.
    """
    for setting in SETTINGS:
        if getattr(settings, setting.name) is None:
            setattr(settings, setting.name, setting.default_for(settings))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(map(_plain, value))
    if isinstance(value, date):
        return value.isoformat()
    return redacted(value) if isinstance(value, str) else value
