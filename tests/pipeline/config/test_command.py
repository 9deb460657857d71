import shlex
from datetime import date
from typing import Any

import pytest

from pipeline.cli.commands.download import configure
from pipeline.cli.main import parsers
from pipeline.config.command import command_of
from pipeline.config.download_config import DownloadConfig

DAY = date(2024, 3, 14)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"end_date": date(2024, 3, 28), "max_dte": 7, "interval": "1m", "format": "parquet"},
        {"format": "parquet", "compression": "none", "output": "my data/x", "seed": 3},
        {"greeks": "eod", "interval": "eod", "layout": "daily", "resume": "off"},
        {"expirations": (date(2024, 3, 15), date(2024, 4, 19)), "retry_empty_after": 0.5},
        {"parameters": (("rate_type", "sofr"), ("version", "1")), "check_disk": False},
        {"check": False, "progress": "plain"},
        {"fail_on": "holes>1%,duplicates"},
        {"file_name_pattern": "{symbol}/{expiration:%y%m%d}", "concurrency": 2, "timeout": 7.5},
    ],
)
def test_the_command_of_a_configuration_makes_it_again(more: dict[str, Any]) -> None:
    compression = {"parquet": "zstd"}.get(more.get("format", ""), "none")
    fields: dict[str, Any] = {"end_date": DAY, "compression": compression, "format": "csv"} | more
    config = DownloadConfig(("SPXW", "SPX"), DAY, **fields)
    parser, commands = parsers()
    words = shlex.split(command_of(config))
    assert words[:2] == ["greeks", "download"]
    options, rest = parser.parse_known_args(words[1:])
    made, _ = configure(commands["download"], options, rest)
    assert made == config


def test_a_default_is_left_out() -> None:
    assert command_of(DownloadConfig(("SPXW",), DAY, DAY)) == (
        "greeks download --symbol SPXW --start_date 2024-03-14"
    )
