"""What to do where files of other requests are in the way."""

import re
from dataclasses import replace

from pipeline.config import DownloadConfig, command_of
from pipeline.planning.decisions import Decision
from transforms.orders import DEFAULT
from transforms.output.layout import BY_EXPIRATION, DAILY
from transforms.text.foreign import on_a_line

_SHOWN = 3


class Conflicts:
    """The requests whose files others made, of which the first few are held.

    Args:
        config: the download that they are in the way of.
        source: of its rows.

    Attributes:
        number: of them.
    """

    def __init__(self, config: DownloadConfig, source: str) -> None:
        self.number = 0
        self._config, self._source = config, source
        self._first: list[str] = []
        self._are_dates = True
        self._is_elsewhere = False

    def add(self, conflict: Decision) -> None:
        """Adds one."""
        self.number += 1
        if len(self._first) < _SHOWN:
            self._first.append(conflict.reason)
        self._are_dates &= _other_dates(conflict)
        if conflict.entry is not None:
            self._is_elsewhere |= conflict.entry.source != conflict.request.origin(self._source)

    def refusal(self) -> str:
        """Returns why a download does not begin, and the command that does what is wanted.

        There must be a conflict.
        """
        more = f"\n(and {self.number - _SHOWN} more)" if self.number > _SHOWN else ""
        return (
            "nothing was fetched, and every file is as it was:\n"
            + "\n".join(on_a_line(each, None) for each in self._first)
            + more
            + f"\nTo keep both:\n  {self.command_instead()}"
        )

    def command_instead(self) -> str:
        """Returns the command that keeps the files in the way and makes the new ones, too."""
        config = self._config
        if config.layout == BY_EXPIRATION and self._are_dates:
            # Days are being gathered: a file for each.
            output = f"{config.output.rstrip('/')}-daily"
            return command_of(replace(config, layout=DAILY, file_name_pattern="", output=output))
        output = _elsewhere(config, self._source if self._is_elsewhere else "")
        return command_of(replace(config, output=output))


def _other_dates(conflict: Decision) -> bool:
    """Returns whether only the trade dates differ from those of the file that is there."""
    if conflict.entry is None:
        return False
    made, wanted = conflict.entry.request, conflict.request.describe()
    differing = {name for name in [*made, *wanted] if made.get(name) != wanted.get(name)}
    return differing <= {"first_trade_date", "last_trade_date", "trade_dates"}


def _elsewhere(config: DownloadConfig, source: str) -> str:
    """Returns a folder whose name says what makes this request another one."""
    span = dict.fromkeys((f"{config.start_date:%Y%m%d}", f"{config.end_date:%Y%m%d}"))
    parts = [config.output.rstrip("/"), *span, config.interval]
    if config.greeks not in (DEFAULT, config.interval):
        parts += config.greeks.split(",")
    return "-".join([*parts, *config.derive, *re.findall(r"\w+", source)])
