"""Each setting is declared once: its uses are held here, for every one of them."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main, make_parser
from pipeline.config import DownloadConfig, command_of
from pipeline.config.download_config import SETTINGS
from pipeline.config.setting import Setting
from transforms.orders import ORDERS

DAY = date(2024, 3, 14)
HELP = make_parser().commands["download"].format_help()
GROUPS = (
    "selection",
    "computation of the Greeks",
    "source",
    "quality",
    "output",
    "progress",
    "existing files",
)

GIVEN: dict[str, Any] = {
    "symbols": ("SPXW", "SPX"),
    "start_date": date(2024, 3, 13),
    "end_date": date(2024, 3, 20),
    "max_dte": 7,
    "expirations": (date(2024, 3, 15), date(2024, 3, 18)),
    "greeks": "eod",
    "interval": "1m",
    "start_time": "10:00:00",
    "end_time": "15:00:00",
    "strike_range": "5",
    "rate_type": "treasury_m1",
    "rate_value": "0.05",
    "annual_dividend": "1.5",
    "greeks_version": "1",
    "derive": ("gamma", "vanna"),
    "underlyer_use_nbbo": "true",
    "option_use_nbbo": "false",
    "terminal": "http://h:1,http://g:2",
    "api": "v2",
    "tier": "pro",
    "concurrency": 3,
    "timeout": 12.5,
    "attempts": 2,
    "retry_seconds": 30.0,
    "seed": 4,
    "check": False,
    "fail_on": "holes>1%",
    "output": "my files",
    "format": "parquet",
    "compression": "gzip",
    "batch_size": 500,
    "layout": "daily",
    "file_name_pattern": "{symbol} {expiration}",
    "underlying_prices": True,
    "metrics": "history",
    "check_disk": False,
    "progress": "none",
    "progress_seconds": 2.5,
    "resume": "hash",
    "retry_empty_after": 0.5,
}
"""A good value of each setting that is not its default."""

each_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)


def config_with(setting: Setting) -> DownloadConfig:
    values: dict[str, Any] = {"symbols": ("SPXW",), "start_date": DAY, "end_date": DAY} | {
        setting.name: GIVEN[setting.name]
    }
    of_default = ORDERS["first_order"].v3.parameters
    if setting.name == "greeks" or setting.parameter not in ("", *of_default):
        values |= {"greeks": "eod", "interval": "eod"}
    values.setdefault("end_date", values["start_date"])
    if setting.name == "start_date":
        values["end_date"] = values["start_date"]
    return DownloadConfig(**values)


def flags_of(setting: Setting) -> list[str]:
    own = [] if setting.kind is bool else [setting.flag]
    return [*own, *(switch.flag for switch in setting.switches)]


@each_setting
def test_a_setting_has_a_group_flags_a_help_and_a_check(setting: Setting) -> None:
    assert setting.group in GROUPS
    assert flags_of(setting)
    helps = [setting.help, *(switch.help for switch in setting.switches)]
    assert any(helps)
    assert all(switch.help for switch in setting.switches)
    assert setting.check or setting.choices or setting.kind is bool
    assert setting.metavar or setting.choices or setting.kind is bool
    assert setting.required or setting.implied or setting.default != GIVEN[setting.name]


@each_setting
def test_a_setting_is_in_the_help_below_its_group(setting: Setting) -> None:
    section = HELP[HELP.index(f"\n{setting.group}:\n") :].split("\n\n")[0]
    for flag in flags_of(setting):
        assert re.search(rf"^  --{flag}\b", section, re.MULTILINE)


@each_setting
def test_the_command_line_and_a_file_set_the_same_and_config_show_shows_it(
    setting: Setting,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["config", "show", *setting.words(GIVEN[setting.name])]) == 0
    by_flag = capsys.readouterr().out
    # The disk has only a flag that turns its check off.
    value = True if setting.name == "check_disk" else GIVEN[setting.name]
    Path("run.toml").write_text(f"{flags_of(setting)[0]} = {toml(value)}\n")
    assert main(["config", "show", "--config", "run.toml"]) == 0
    by_file = capsys.readouterr().out
    assert by_flag.replace("  # flag", "  # run.toml") == by_file
    for flag in flags_of(setting):
        assert re.search(rf"^(# )?{flag}\b.*# (run.toml|default: none)$", by_file, re.MULTILINE)
    Path("again.toml").write_text(by_flag)
    assert main(["config", "show", "--config", "again.toml"]) == 0
    again = capsys.readouterr().out
    values = [re.sub(r" +# .*", "", text) for text in (by_flag, again)]
    assert values[0] == values[1]


@each_setting
def test_a_setting_is_in_the_command_that_is_suggested(setting: Setting) -> None:
    command = command_of(config_with(setting))
    assert any(f"--{flag}" in command for flag in flags_of(setting))


@each_setting
def test_a_value_that_is_wrong_is_an_error_that_begins_with_the_flag(setting: Setting) -> None:
    if setting.kind is bool or setting.name == "symbols":
        return
    wrong: Any = {int: -1, float: -1.0, date: date(2000, 1, 1)}.get(setting.kind, "?/{")
    if setting.name == "expirations":
        wrong = (date(2000, 1, 1),)
    if setting.name in ("output", "metrics"):
        wrong = ".."
    values: dict[str, Any] = {"symbols": ("SPXW",), "start_date": DAY, "end_date": DAY} | {
        setting.name: wrong
    }
    with pytest.raises(ValueError, match=f"^--{setting.flag}[: ]"):
        DownloadConfig(**values)


def test_the_groups_come_in_their_order_and_the_file_of_settings_last() -> None:
    groups = re.findall(r"^(\w[\w ]*):$", HELP, re.MULTILINE)[1:-1]
    assert groups == ["for programs", *GROUPS, "file of settings"]


def toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(toml, value))}]"
    return str(value) if isinstance(value, date) else json.dumps(value)
