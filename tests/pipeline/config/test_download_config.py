import json
from datetime import date
from typing import Any

import pytest

from pipeline.config import DownloadConfig
from pipeline.config.download_config import SETTINGS
from pipeline.config.source import LOCAL_URLS
from pipeline.errors import ConfigError
from transforms.orders import PARAMETERS

GOOD: dict[str, Any] = {
    "symbols": ("SPXW",),
    "start_date": date(2024, 3, 14),
    "end_date": date(2024, 3, 15),
}


def test_the_defaults_are_those_of_the_readme() -> None:
    config = DownloadConfig(**GOOD)
    assert (config.max_dte, config.interval, config.greeks) == (30, "5m", "first_order")
    assert config.outstanding("v3") == 4
    assert (config.batch_size, config.timeout) == (1000, 300)
    assert LOCAL_URLS[0] == "http://127.0.0.1:25503"


@pytest.mark.parametrize(
    ("change", "printed"),
    [
        ({"symbols": ()}, "--symbol names no symbol"),
        ({"symbols": ("../etc",)}, "--symbol: '../etc' is not a symbol"),
        ({"start_date": date(2011, 1, 3)}, "--start_date .* begins on 2012-06-01"),
        ({"end_date": date(2024, 3, 13)}, "--end_date is 2024-03-13, before --start_date"),
        ({"end_date": date(2099, 1, 2)}, "--end_date .* in the future"),
        ({"max_dte": -1}, "--max_dte is -1, not 0 to 4,000"),
        ({"expirations": (date(2024, 3, 1),)}, "--expirations names 2024-03-01, before"),
        ({"interval": "300000"}, "--interval is '300000', not one of tick"),
        (
            {"terminal": "localhost:25503"},
            "--terminal is 'localhost:25503', without a scheme: did",
        ),
        ({"terminal": "ftp://x"}, "--terminal is 'ftp://x', neither"),
        ({"terminal": "http://x/v3"}, "--terminal is 'http://x/v3', neither"),
        ({"concurrency": -1}, "--concurrency is -1"),
        ({"greeks": "fourth"}, "--greeks is 'fourth', not one of first_order"),
        ({"greeks": "eod"}, "--interval is '5m', not one of eod"),
        ({"api": "v4"}, "--api is 'v4'"),
        ({"tier": "gold"}, "--tier is 'gold', not one of free, value"),
        ({"attempts": 0}, "--attempts is 0"),
        ({"retry_seconds": -1}, "--retry_seconds is -1"),
        ({"start_time": "9:30"}, "--start_time: '9:30' is not a time"),
        (
            {"end_time": "09:00:00", "start_time": "10:00:00"},
            "--end_time is before",
        ),
        ({"strike_range": "0"}, "--strike_range: '0' is not 1 or more"),
        ({"rate_type": "libor"}, "--rate_type: 'libor' is neither"),
        ({"rate_value": "inf"}, "--rate_value: 'inf' is not a finite"),
        ({"greeks_version": "2"}, "--greeks_version: '2' is neither"),
        ({"annual_dividend": "much"}, "--annual_dividend: could not convert"),
        ({"seed": -1}, "--seed is -1, not 0 or more"),
        ({"output": "data/x.meta"}, "--output is 'data/x.meta': such a folder holds the manifest"),
        ({"metrics": "sqlite://x"}, "--metrics is 'sqlite://x', neither sqlite:///PATH nor"),
        ({"metrics": "data/greeks/m"}, "--metrics is 'data/greeks/m', inside --output"),
        ({"fail_on": "holes", "check": False}, "--fail_on needs the quality check that --no_check"),
        ({"layout": "weekly"}, "--layout is 'weekly', not one of expiration, daily"),
        ({"resume": "size"}, "--resume is 'size', not one of stat, hash, off"),
        ({"retry_empty_after": -1}, "--retry_empty_after is -1, not 0 to 36,500 days"),
        ({"progress": "dots"}, "--progress is 'dots', not one of auto, bar"),
        ({"progress_seconds": 0}, "--progress_seconds is 0, not above 0"),
        ({"terminal": "http://a,http://a/"}, "--terminal names one twice"),
        ({"timeout": 0}, "--timeout is 0"),
        ({"timeout": float("nan")}, "--timeout is nan"),
        ({"batch_size": 0}, "--batch_size is 0"),
        ({"output": "/"}, "--output is '/': it names no folder"),
        ({"metrics": ""}, "--metrics is '': it names no folder"),
        ({"output": "~/greeks"}, "--output is '~/greeks': only a shell replaces ~"),
        ({"format": "xlsx"}, "--format is 'xlsx', not one of csv, parquet"),
        ({"compression": "snappy"}, "--compression is 'snappy'; csv takes none, gzip, zstd"),
        ({"file_name_pattern": "../{symbol}"}, "--file_name_pattern: .* must stay inside"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_its_flag(
    change: dict[str, Any], printed: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{printed}"):
        DownloadConfig(**GOOD | change)


def test_the_parameters_are_those_of_thetadata_by_name() -> None:
    config = DownloadConfig(**GOOD, start_time="10:00:00", greeks_version="1", rate_type="sofr")
    assert config.parameters == (
        ("rate_type", "sofr"),
        ("start_time", "10:00:00"),
        ("version", "1"),
    )
    assert {each.parameter for each in SETTINGS} - {""} == set(PARAMETERS)


def test_the_record_has_what_was_asked_for_under_the_names_of_flags_and_no_password() -> None:
    config = DownloadConfig(
        **GOOD,
        expirations=(date(2024, 3, 15),),
        metrics="postgresql://me:hush@db/x",
        rate_value="0.05",
        progress="none",
    )
    record = config.describe()
    assert json.loads(json.dumps(record)) == record
    assert record["symbol"] == ["SPXW"]
    assert (record["start_date"], record["expirations"]) == ("2024-03-14", ["2024-03-15"])
    assert record["metrics"] == "postgresql://me:***@db/x"
    assert record["parameters"] == {"rate_value": "0.05"}
    assert not {"symbols", "rate_value", "progress", "progress_seconds"} & record.keys()


@pytest.mark.parametrize("name", ["start_time", "end_time"])
def test_a_time_of_day_with_the_end_of_day_is_an_error_that_names_its_flag(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^--{name} does not apply to --greeks eod"):
        DownloadConfig(**GOOD | {"greeks": "eod", "interval": "eod", name: "12:00:00"})


@pytest.mark.parametrize("name", ["underlyer_use_nbbo", "option_use_nbbo"])
def test_use_nbbo_is_passed_on_with_the_end_of_day_and_refused_without(name: str) -> None:
    made = DownloadConfig(**GOOD | {"greeks": "eod", "interval": "eod", name: "true"})
    assert made.parameters == ((name, "true"),)
    with pytest.raises(
        ConfigError, match=f"^--{name} does not apply to --greeks first_order, but to eod$"
    ):
        DownloadConfig(**GOOD | {name: "true"})
