import shlex
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from hypothesis.strategies import SearchStrategy

from pipeline.cli.flags import config_from
from pipeline.cli.main import make_parser
from pipeline.config import DownloadConfig, command_of
from pipeline.config.command import recorded_flags
from pipeline.config.download_config import SETTINGS
from pipeline.process.program import program
from transforms.orders import ORDERS
from transforms.orders.schema import ALL_GREEKS
from transforms.output.layout import COMPRESSIONS

DAY = date(2024, 3, 14)
PARSER = make_parser()

TIMES = some.times().map(lambda time: time.replace(microsecond=0).isoformat())
NUMBERS = some.floats(allow_nan=False, allow_infinity=False).map(str)
FOLDERS = some.text(
    some.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20
).map(lambda text: f"data/{text}/x")
DAYS = some.dates(date(2012, 6, 1), date(2024, 12, 31))

GIVEN: dict[str, SearchStrategy[Any]] = {
    "symbols": some.lists(
        some.from_regex(r"[A-Z][A-Z0-9]{0,5}(\.[A-Z0-9]{1,2})?", fullmatch=True),
        min_size=1,
        max_size=3,
        unique=True,
    ).map(tuple),
    "start_date": DAYS,
    "max_dte": some.integers(0, 4000),
    "expirations": some.sets(some.dates(date(2025, 1, 1)), max_size=3).map(
        lambda days: tuple(sorted(days))
    ),
    "start_time": some.just("00:00:00"),
    "end_time": TIMES,
    "strike_range": some.integers(1).map(str),
    "rate_type": some.sampled_from(["sofr", "treasury_m1", "treasury_y30"]),
    "rate_value": NUMBERS,
    "annual_dividend": NUMBERS,
    "greeks_version": some.sampled_from(["latest", "1"]),
    "underlyer_use_nbbo": some.sampled_from(["true", "false"]),
    "option_use_nbbo": some.sampled_from(["true", "false"]),
    "terminal": some.sampled_from(["", "embedded", "http://h:1", "http://h:1, https://g"]),
    "concurrency": some.integers(0, 128),
    "timeout": some.floats(0, 86400, exclude_min=True),
    "attempts": some.integers(1, 1000),
    "retry_seconds": some.floats(0, 86400),
    "seed": some.integers(0),
    "output": FOLDERS,
    "batch_size": some.integers(1, 1_000_000),
    "file_name_pattern": some.sampled_from(
        ["", "-{symbol}/{expiration:%y%m%d} {first_trade_date}", "{symbol}{expiration}$%é"]
    ),
    "metrics": some.sampled_from(["history", "-m", "sqlite:///x y", "postgresql://a@h/d"]),
    "progress_seconds": some.floats(0, 86400, exclude_min=True),
    "retry_empty_after": some.floats(0, 36500),
}
"""Good values of the settings that name no choices and are not on or off."""


@some.composite
def configurations(draw: some.DrawFn) -> DownloadConfig:
    """Any good configuration; a setting that is added has to be added above."""
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        if setting.choices:
            values[setting.name] = draw(some.sampled_from(setting.choices))
        elif setting.kind is bool:
            values[setting.name] = draw(some.booleans())
        elif setting.name == "end_date":
            values["end_date"] = values["start_date"] + timedelta(draw(some.integers(0, 400)))
        elif setting.name == "interval":
            values["interval"] = draw(some.sampled_from(ORDERS[values["greeks"]].intervals))
        elif setting.name == "derive":
            names = draw(some.sets(some.sampled_from(ALL_GREEKS)))
            values["derive"] = tuple(
                name for name in ORDERS[values["greeks"]].derivable if name in names
            )
        elif setting.name == "fail_on":
            values["fail_on"] = draw(some.sampled_from(["", "holes>1%,duplicates", "any>3"]))
        elif setting.required or draw(some.booleans()):
            values[setting.name] = draw(GIVEN[setting.name])
    values["compression"] = draw(some.sampled_from(list(COMPRESSIONS[values["format"]])))
    for setting in SETTINGS:
        if setting.parameter not in ("", *ORDERS[values["greeks"]].v3.parameters):
            values.pop(setting.name, None)
    if not ORDERS[values["greeks"]].has_underlying:
        values["underlying_prices"] = False
    if not values["check"]:
        del values["fail_on"]
    if values["layout"] == "expiration" and values["end_date"] != values["start_date"]:
        values.pop("file_name_pattern", None)
    if values["layout"] == "daily" and "first" not in values.get("file_name_pattern", "first"):
        values.pop("file_name_pattern", None)
    return DownloadConfig(**values)


def parsed(command: str) -> DownloadConfig:
    words = shlex.split(command)
    own = len(program())
    assert words[: own + 1] == [*program(), "download"]
    options, rest = PARSER.parse_known_args(words[own:])
    assert rest == []
    return config_from(options)


@given(configurations())
def test_the_command_of_a_configuration_makes_it_again(config: DownloadConfig) -> None:
    assert parsed(command_of(config)) == config


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, ""),
        ({"end_date": date(2024, 3, 28)}, " --end_date 2024-03-28"),
        ({"greeks": "eod", "interval": "eod"}, " --greeks eod"),
        ({"format": "parquet", "compression": "zstd"}, " --format parquet"),
        (
            {"format": "parquet", "compression": "none"},
            " --format parquet --compression none",
        ),
        ({"check": False, "check_disk": False}, " --no_check --no_disk_check"),
        (
            {"timeout": 7.123456789, "retry_seconds": 60.0},
            " --timeout 7.123456789 --retry_seconds 60",
        ),
        ({"output": "my data", "metrics": "-m"}, " --output 'my data' --metrics=-m"),
    ],
)
def test_only_what_is_no_default_is_in_the_command(more: dict[str, Any], words: str) -> None:
    config = DownloadConfig(("SPXW",), DAY, **{"end_date": DAY} | more)
    assert (
        command_of(config)
        == f"{shlex.join(program())} download --symbol SPXW --start_date 2024-03-14{words}"
    )
    assert parsed(command_of(config)) == config


def test_a_suggested_command_has_no_password_in_it() -> None:
    config = DownloadConfig(("SPXW",), DAY, DAY, metrics="postgresql://a:b/c@h/d")
    assert command_of(config).endswith(" --metrics 'postgresql://a:***@h/d'")


def test_a_recorded_request_is_shown_as_the_flags_that_were_given() -> None:
    flags = ["--symbol", "SPXW,SPX", "--start_date", "2024-03-14", "--max_dte", "0"]
    flags += ["--rate_type", "sofr", "--no_check", "--no_disk_check"]
    config = config_from(PARSER.commands["download"].parse_args(flags))
    words = recorded_flags(config.describe()).split()
    assert [words[i : i + 2] for i in range(0, 8, 2)] == [
        ["--symbol", "SPXW,SPX"],
        ["--start_date", "2024-03-14"],
        ["--max_dte", "0"],
        ["--rate_type", "sofr"],
    ]
    assert words[8:] == ["--no_check", "--no_disk_check"]
    # Of another version, with other settings.
    assert recorded_flags({"symbol": ["SPXW"], "odd": 1}) == "--symbol SPXW"
