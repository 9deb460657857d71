from datetime import date
from typing import Any

import pytest

from pipeline.config.download_config import LOCAL_URLS, DownloadConfig
from pipeline.errors import ConfigError

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
    ("change", "told"),
    [
        ({"symbols": ()}, "--symbol names no symbol"),
        ({"symbols": ("../etc",)}, "--symbol: '../etc' is not a symbol"),
        ({"start_date": date(2011, 1, 3)}, "--start_date .* begins on 2012-06-01"),
        ({"end_date": date(2024, 3, 13)}, "--end_date is 2024-03-13, before --start_date"),
        ({"end_date": date(2099, 1, 2)}, "--end_date .* in the future"),
        ({"max_dte": -1}, "--max_dte is -1"),
        ({"expirations": (date(2024, 3, 1),)}, "--expirations names 2024-03-01, before"),
        ({"interval": "300000"}, "--interval is '300000', not one of tick"),
        ({"terminal": "localhost:25503"}, "--terminal is 'localhost:25503', neither"),
        ({"terminal": "ftp://x"}, "--terminal is 'ftp://x', neither"),
        ({"terminal": "http://x/v3"}, "--terminal is 'http://x/v3', neither"),
        ({"concurrency": -1}, "--concurrency is -1"),
        ({"greeks": "fourth"}, "--greeks is 'fourth', not one of first_order"),
        ({"greeks": "eod"}, "--interval is '5m', not one of eod"),
        ({"api": "v4"}, "--api is 'v4'"),
        ({"tier": "gold"}, "--tier is 'gold', not one of free, value"),
        ({"attempts": 0}, "--attempts is 0"),
        ({"retry_seconds": -1}, "--retry_seconds is -1"),
        ({"parameters": (("start_time", "9:30"),)}, "--start_time: '9:30' is not a time"),
        (
            {"parameters": (("end_time", "09:00:00"), ("start_time", "10:00:00"))},
            "--end_time is before",
        ),
        ({"parameters": (("strike_range", "0"),)}, "--strike_range: '0' is not 1 or more"),
        ({"parameters": (("rate_type", "libor"),)}, "--rate_type: 'libor' is neither"),
        ({"parameters": (("rate_value", "inf"),)}, "--rate_value: 'inf' is not a finite"),
        ({"parameters": (("version", "2"),)}, "--version: '2' is neither"),
        ({"timeout": 0}, "--timeout is 0"),
        ({"timeout": float("nan")}, "--timeout is nan"),
        ({"batch_size": 0}, "--batch_size is 0"),
        ({"output": "/"}, "--output is '/': it names no folder"),
        ({"metrics": ""}, "--metrics is '': it names no folder"),
        ({"format": "xlsx"}, "--format is 'xlsx', not one of csv, parquet"),
        ({"compression": "snappy"}, "--compression is 'snappy'; csv takes none, gzip, zstd"),
        ({"file_name_pattern": "../{symbol}"}, "--file_name_pattern: .* must stay inside"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_its_flag(
    change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{told}"):
        DownloadConfig(**GOOD | change)
