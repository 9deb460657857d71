"""How a run is shown while it goes."""

from dataclasses import dataclass
from functools import partial

from pipeline.config.checks import above_zero
from pipeline.config.setting import setting

# The display is no part of the run's results.
_setting = partial(setting, group="progress", in_record=False)


@dataclass(frozen=True)
class ProgressSettings:
    """Settings of how a run is shown."""

    progress: str = _setting(
        "auto",
        "bar: a bar that is redrawn; plain: a line every --progress_seconds; none: nothing "
        "until the end; auto: bar if standard error is a terminal, else plain",
        choices=("auto", "bar", "plain", "none"),
    )
    progress_seconds: float = _setting(
        5.0,
        "time between two lines of plain progress",
        metavar="SECONDS",
        check=above_zero(86400, "seconds"),
    )
