"""What ThetaData computes the Greeks with."""

import re
from dataclasses import dataclass
from functools import partial

from pipeline.config.checks import finite, readable
from pipeline.config.setting import setting

_setting = partial(setting, group="computation of the Greeks")


def _rate_type(text: str) -> None:
    if not re.fullmatch(r"sofr|treasury_[my]\d+", text):
        raise ValueError(f"{text!r} is neither sofr nor treasury_m1 … treasury_y30")


def _version(text: str) -> None:
    if text not in ("latest", "1"):
        raise ValueError(f"{text!r} is neither latest nor 1")


@dataclass(frozen=True)
class ComputationSettings:
    """Settings of how ThetaData computes the Greeks."""

    rate_type: str | None = _setting(
        None,
        "interest rate: sofr, or treasury_m1 to treasury_y30",
        metavar="RATE",
        check=readable(_rate_type),
        default_text="ThetaData's, sofr",
        parameter="rate_type",
    )
    rate_value: str | None = _setting(
        None,
        "fixed interest rate instead of --rate_type. Its unit is uncertain: ThetaData's v3 "
        "documentation gives percent (5.0 is 5 %), its v2 documentation a decimal (0.05 is "
        "5 %), and live v3 Terminals have taken a decimal. Better omit it, or compare rho "
        "first",
        metavar="RATE",
        check=readable(finite),
        default_text="none",
        parameter="rate_value",
    )
    annual_dividend: str | None = _setting(
        None,
        "annual dividend of the underlying, per share",
        metavar="USD",
        check=readable(finite),
        default_text="none",
        parameter="annual_dividend",
    )
    greeks_version: str | None = _setting(
        None,
        "version of ThetaData's formulas: latest, or 1, which has its own rule for the day of "
        "expiration; needs v3",
        metavar="VERSION",
        check=readable(_version),
        default_text="latest",
        parameter="version",
    )
