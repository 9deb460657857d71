"""What ThetaData computes the Greeks with."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.config.checks import finite, readable
from pipeline.config.selection import orders_of
from pipeline.config.setting import setting
from pipeline.config.values import words
from transforms.orders.schema import ALL_GREEKS

_setting = partial(setting, group="computation of the Greeks")


def _rate_type(text: str) -> None:
    if not re.fullmatch(r"sofr|treasury_[my]\d+", text):
        raise ValueError(f"{text!r} is neither sofr nor treasury_m1 … treasury_y30")


def _version(text: str) -> None:
    if text not in ("latest", "1"):
        raise ValueError(f"{text!r} is neither latest nor 1")


def _true_or_false(text: str) -> None:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")


def _derived(text: str) -> tuple[str, ...]:
    names = {name.lower() for name in words(text)}
    # In the order of the columns; what is unknown is left for the check to name.
    return (*(name for name in ALL_GREEKS if name in names), *sorted(names - {*ALL_GREEKS}))


def _check_derived(names: tuple[str, ...], config: Any) -> str:
    known = {name for order in orders_of(config) for name in order.derivable}
    derivable = [name for name in ALL_GREEKS if name in known]
    other = [name for name in names if name not in derivable]
    if not other:
        return ""
    if not derivable:
        return f"does not apply to --greeks {config.greeks}"
    return f"names {', '.join(other)}; --greeks {config.greeks} gives {', '.join(derivable)}"


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
        "annual dividend of the underlying, per share, which becomes a yield at its price. "
        "ThetaData's documentation gives dollars; a newer client names the dollars "
        "annual_dividend_amount, so this may be a yield there. Compare epsilon first",
        metavar="USD",
        check=readable(finite),
        default_text="none",
        parameter="annual_dividend",
    )
    greeks_version: str | None = _setting(
        None,
        "how ThetaData counts the time to expiration in the last week: latest, the real time "
        "to 16:00; 1, whole days, and 0.15 of the last one, as v2 does; needs v3",
        metavar="VERSION",
        check=readable(_version),
        default_text="latest",
        parameter="version",
    )
    underlyer_use_nbbo: str | None = _setting(
        None,
        "whether the end of day takes the underlying's quote instead of its last trade; an "
        "index has no quote. Needs --greeks eod and v3",
        metavar="true|false",
        check=readable(_true_or_false),
        default_text="ThetaData's, false",
        parameter="underlyer_use_nbbo",
    )
    option_use_nbbo: str | None = _setting(
        None,
        "whether the end of day computes from the middle of the option's quote instead of its "
        "last trade. Known from a client of ThetaData's newer than its documentation; a "
        "Terminal may ignore it. Needs --greeks eod and v3",
        metavar="true|false",
        check=readable(_true_or_false),
        default_text="ThetaData's, true",
        parameter="option_use_nbbo",
    )
    derive: tuple[str, ...] = _setting(
        (),
        "Greeks that the order does not have, computed from each row's own volatility and added "
        "as columns that are marked as computed: gamma,vanna,… Gamma needs no Professional "
        "subscription then",
        metavar="GREEK[,GREEK]",
        parse=_derived,
        check=_check_derived,
        default_text="none",
    )
