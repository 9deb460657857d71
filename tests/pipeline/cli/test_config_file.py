import re
import shlex
from pathlib import Path

import pytest

from pipeline.cli.main import main
from tests.support.data import files_in
from tests.support.market import terminal
from tests.support.scripted import scripted_server

FILE = """
symbol = ["SPXW", "SPX"]
start-date = 2024-03-14
max_dte = 1
format = "parquet"
retry_seconds = 60.5
direct_running_mode = "multi_threading"
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(FILE)


def settings(capsys: pytest.CaptureFixture[str], command: str) -> dict[str, tuple[str, str]]:
    """Runs `greeks config show`, and returns each name's value and origin."""
    assert main(["config", "show", *shlex.split(command)]) == 0
    printed = {}
    for line in capsys.readouterr().out.splitlines():
        setting, _, origin = line.rpartition("  # ")
        name, _, value = setting.removeprefix("# ").partition("=")
        printed[name.strip()] = (value.strip(), origin)
    return printed


def test_a_file_sets_flags_and_a_flag_wins(tmp_path: Path) -> None:
    with scripted_server(terminal()) as server:
        command = f"download --config run.toml --terminal {server.url} --format csv"
        assert main(shlex.split(command)) == 0
    assert sorted(files_in(tmp_path / "data" / "greeks")) == [
        "2024-03-14/SPXW_20240314.csv",
        "2024-03-15/SPXW_20240315.csv",
        "2024-03-15/SPX_20240315.csv",
    ]


def test_a_plan_takes_the_same_file(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(terminal()) as server:
        flags = ["--config=run.toml", "--terminal", server.url, "--probe", "never"]
        assert main(["plan", *flags]) == 0
    assert "expirations  3: 3 new" in capsys.readouterr().out


def test_settings_in_force_tell_where_they_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    printed = settings(capsys, "--config run.toml --max-dte 7 --runner DirectRunner")
    assert printed["symbol"] == ('["SPXW", "SPX"]', "run.toml")
    assert printed["start_date"] == ("2024-03-14", "run.toml")
    assert printed["end_date"] == ("2024-03-14", "default")
    assert printed["max_dte"] == ("7", "flag")
    assert printed["format"] == ('"parquet"', "run.toml")
    assert printed["compression"] == ('"zstd"', "default")
    assert printed["interval"] == ('"5m"', "default")
    assert printed["retry_seconds"] == ("60.5", "run.toml")
    assert printed["rate_type"] == ("", "default: none")
    assert printed["direct_running_mode"] == ('"multi_threading"', "run.toml")
    assert printed["runner"] == ('"DirectRunner"', "flag")


def test_what_config_show_prints_is_a_file_with_the_same_settings(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(shlex.split("config show --config run.toml --interval 1m --expirations 20240315"))
    shown = capsys.readouterr().out
    (tmp_path / "new.toml").write_text(shown)
    main(shlex.split("config show --config new.toml"))
    again = capsys.readouterr().out
    values = [re.sub(r" +# .*", "", text) for text in (shown, again)]
    assert values[0] == values[1]
    assert "expirations = [2024-03-15]" in values[0]


def test_without_flags_and_file_the_defaults_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printed = settings(capsys, "")
    assert printed["symbol"] == ("", "default: none")
    assert printed["output"] == ('"data/greeks"', "default")
    assert {origin for _, origin in printed.values()} == {"default", "default: none"}


def test_no_password_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    printed = settings(capsys, "--metrics postgresql://me:hush@db/x")
    assert printed["metrics"] == ('"postgresql://me:***@db/x"', "flag")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('formt = "csv"', "formt is neither a flag of greeks nor of Beam; did you mean format?"),
        ("qqqq = 1", "qqqq is neither a flag of greeks nor of Beam; see greeks download --help"),
        ("max_dte = 'ten'", "max_dte is 'ten': invalid literal for int"),
        ("start_date = '14.3.2024'", "start_date is '14.3.2024': '14.3.2024' is not a date"),
        ("format = 'xml'", "format is 'xml', not one of csv, parquet"),
        ("[download]\nmax_dte = 3", "[download] is a table; keys are the names of flags"),
        ("max_dte = ", "Invalid value"),
        ("config = 'other.toml'", "config is neither a flag"),
        ("direct_num_workers = 2", "use --concurrency"),
    ],
)
def test_a_file_that_is_wrong_is_reported_with_its_name(
    text: str, printed: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    flags = ["--symbol", "SPXW", "--start_date", "2024-03-14", "--config", "wrong.toml"]
    with pytest.raises(SystemExit) as ended:
        main(["download", *flags])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert printed in err
    assert "wrong.toml" in err or "concurrency" in printed
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("flags", ["--config nowhere.toml", "--config"])
def test_a_file_that_is_not_there_is_reported(
    flags: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["download", *shlex.split(flags)])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert "--config nowhere.toml: No such file" in err or "expected one argument" in err


def test_a_flag_that_takes_no_value_is_true_or_false_in_a_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for text, code in (("json = true", 0), ("json = false", 0), ("json = 'yes'", 2)):
        (tmp_path / "run.toml").write_text(f"{FILE}\nprobe = 'never'\n{text}\n")
        with scripted_server(terminal()) as server:
            arguments = ["plan", "--config", "run.toml", "--terminal", server.url]
            if code:
                with pytest.raises(SystemExit):
                    main(arguments)
                assert "json is 'yes', neither true nor false" in capsys.readouterr().err
                return
            assert main(arguments) == 0
        assert capsys.readouterr().out.startswith("{") == ("true" in text)


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("check = false", "false"),
        ("no_check = true", "false"),
        ("check = true", "true"),
        ("no_check = false", "true"),
        ("", "true"),
    ],
)
def test_false_in_a_file_is_the_opposite_of_true(
    text: str, check: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "run.toml").write_text(f"{FILE}\n{text}\n")
    printed = settings(capsys, "--config run.toml")
    assert (printed["check"][0], printed["no_check"][0]) == (
        check,
        {"true": "false", "false": "true"}[check],
    )
