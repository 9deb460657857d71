"""The settings of one download: a frozen value, checked once."""

from dataclasses import dataclass, fields
from datetime import date
from types import SimpleNamespace
from typing import Any

from pipeline.config.computation import ComputationSettings
from pipeline.config.output import ExistingFilesSettings, OutputSettings
from pipeline.config.progress import ProgressSettings
from pipeline.config.quality import QualitySettings
from pipeline.config.selection import SelectionSettings, orders_of
from pipeline.config.setting import Setting, setting_of
from pipeline.config.source import EMBEDDED, TIERS, SourceSettings, named_terminals
from pipeline.errors import ConfigError
from pipeline.text import meant
from transforms.orders import ORDERS, PARAMETERS, Order
from transforms.output.layout import BY_ORDER, PATTERNS, noun_of
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
                raise TypeError(f"a download has no setting {name!r}{meant(name, names)}")
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
        if not name or value is None or any(name in each.v3.parameters for each in self.orders):
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
    def orders(self) -> tuple[Order, ...]:
        """The orders of data, each once."""
        return orders_of(self)

    @property
    def terms(self) -> tuple[tuple[Any, ...], ...]:
        """What the requests of each order have in common: their last fields, as far as it has them.

        Those are interval, order, parameters and derived Greeks.
        """
        return tuple(
            (
                order.interval(self.interval),
                order.name,
                tuple(pair for pair in self.parameters if pair[0] in order.v3.parameters),
                tuple(name for name in self.derive if name in order.derivable),
            )
            for order in self.orders
        )

    @property
    def pattern(self) -> str:
        """The pattern that names the files."""
        below = BY_ORDER if len(self.orders) > 1 else ""
        return self.file_name_pattern or below + PATTERNS[self.layout]

    @property
    def noun(self) -> str:
        """What a request makes, as a person counts it."""
        return noun_of(self.layout, self.greeks)

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
