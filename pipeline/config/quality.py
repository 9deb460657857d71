"""Whether rows are checked for what can't be right, and what fails an expiration."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.config.setting import Switch, setting
from transforms.quality.limits import ANY, RULES, parse_limits

_setting = partial(setting, group="quality")


def _check_limits(limits: str, config: Any) -> str:
    if limits and not config.check:
        return "needs the quality check that --no_check skips"
    parse_limits(limits)
    return ""


@dataclass(frozen=True)
class QualitySettings:
    """Settings of the quality check."""

    check: bool = _setting(
        True,
        switches=(
            Switch("check", True, "check the rows for impossible values and report them"),
            Switch("no_check", False, "skip the quality check"),
        ),
    )
    fail_on: str = _setting(
        "",
        "fail an expiration, and write no file for it, if more is found than these rules "
        "allow, such as zero_greeks>5%,holes>1%,duplicates. Rules: " + ", ".join([*RULES, ANY]),
        metavar="RULES",
        check=_check_limits,
        default_text="no expiration is failed",
    )
