import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.process.program import program
from tests.support.answers import rows_of
from tests.support.command import at_scripted as greeks
from tests.support.data import files_in
from tests.support.market import NO_DATA, terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

GOOD = "download --symbol SPXW --start_date 2024-03-14"

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def summary() -> dict[str, object]:
    (path,) = Path("data/metrics").glob("pipeline-run-*.json")
    document = json.loads(path.read_text())
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        ("download --start_date 2024-03-14", "--symbol"),
        (f"{GOOD} --end_date 2024-03-13", "--end_date is 2024-03-13, before"),
        (f"{GOOD} --start_date 14.3.2024", "'14.3.2024' is not a date: YYYY-MM-DD or YYYYMMDD"),
        (f"{GOOD} --formt parquet", "--formt is neither .*; did you mean --format?"),
        (f"{GOOD} --direct_num_worker 2", "did you mean --direct_num_workers?"),
        (f"{GOOD} --direct_num_workers 2", "use --concurrency"),
        (f"{GOOD} --runner Wrong", "--runner is 'Wrong', not one of DirectRunner"),
        (f"{GOOD} --terminal http://[::1", "--terminal is"),
        (f"{GOOD} --terminal http://x:99999", "--terminal is"),
        (f"{GOOD} --output .", "--output is"),
        (f"{GOOD} --metrics data/greeks/m", "--metrics is .* inside --output"),
        (f"{GOOD} --qqqq", "--qqqq is neither a flag of greeks nor of Beam; see"),
        (f"{GOOD} SPX", "'SPX' stands alone"),
        (f"{GOOD} --conc 2", "--conc is neither a flag of greeks nor of Beam"),
        (f"{GOOD} --max_dte ten", "argument --max_dte: invalid int value: 'ten'"),
        (f"{GOOD} --max_cache_memory_usage_mb two", "--max_cache_memory_usage_mb"),
        (f"{GOOD} --format parquet --compression lz4", "--compression"),
        (f"{GOOD} --symbol ../SPX", "--symbol: '../SPX' is not a symbol"),
        (f"{GOOD} --fail_on zero>5%", "--fail_on: 'zero' is not a rule: they are missing_values, "),
        (f"{GOOD} --fail_on holes>5pc", "--fail_on: 'holes>5pc' is not a limit"),
        (
            f"{GOOD} --no_check --fail_on holes",
            "--fail_on needs the quality check that --no_check skips",
        ),
        ("check --fail_on zero x.csv", "--fail_on: 'zero' is not a rule"),
        ("diff", "required: B"),
        ("terminal --prot 1", "--prot is not a flag of greeks terminal"),
        ("downlod", "downlod"),
    ],
)
def test_a_usage_error_is_reported_before_anything_is_done(
    command: str, printed: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import re

    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command))
    assert ended.value.code == 2
    assert re.search(printed.replace("?", r"\?"), capsys.readouterr().err)
    assert files_in(tmp_path) == {}


def test_hyphens_and_compact_dates_do_as_well(tmp_path: Path) -> None:
    code, _ = greeks(
        "download --symbol=spxw --start-date=20240314 --max-dte 1 "
        "--direct-running-mode multi_threading"
    )
    assert code == 0
    assert sorted(files_in(tmp_path / "data" / "greeks")) == [
        "2024-03-14/SPXW_20240314.csv",
        "2024-03-15/SPXW_20240315.csv",
    ]


def test_a_good_run_exits_0_and_its_summary_is_complete(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, server = greeks(GOOD)
    assert code == 0
    printed = summary()
    written = files_in(tmp_path / "data" / "greeks")
    assert list(printed) == [
        "run_id",
        "status",
        "start_time",
        "end_time",
        "total_duration",
        "total_expirations",
        "successful_expirations",
        "empty_expirations",
        "skipped_expirations",
        "skipped_empty_expirations",
        "failed_expirations",
        "interrupted_expirations",
        "total_records",
        "total_data_size",
        "average_expiration_time",
        "peak_throughput",
        "peak_time",
        "total_requests",
        "total_wait",
        "provisional_expirations",
        "incomplete_expirations",
        "findings",
        "files_created",
        "errors",
        "results_files",
        "average_throughput",
        "output_format",
        "compression_used",
        "request",
        "source",
        "concurrency",
        "peak_memory_usage",
        "peak_mapped_files",
        "average_memory_usage",
        "runner",
        "versions",
        "expirations",
        "contracts",
        "pace",
        "samples",
    ]
    assert (printed["status"], printed["total_expirations"], printed["total_records"]) == (
        "succeeded",
        3,
        30,
    )
    assert printed["total_data_size"] == sum(map(len, written.values()))
    assert printed["files_created"] == [f"data/greeks/{name}" for name in written]
    assert printed["source"] == {"terminal": server.url, "api": "v3", "data": "live"}
    duration, rate = printed["total_duration"], printed["average_throughput"]
    assert isinstance(duration, float)
    assert isinstance(rate, float)
    assert abs(rate * duration - 30) < 0.5
    out = capsys.readouterr().out
    assert "3 expirations: 3 written; 30 rows" in out
    assert all(name in out for name in written)
    # Nothing is left of the run but its data, its manifest and its record.
    assert not (tmp_path / "data" / "greeks.meta" / "unfinished").exists() or not any(
        (tmp_path / "data" / "greeks.meta" / "unfinished").iterdir()
    )
    assert list((tmp_path / "data" / "metrics" / "running").iterdir()) == []


def test_a_second_run_is_kept_beside_the_first(tmp_path: Path) -> None:
    assert greeks(GOOD)[0] == 0
    before = files_in(tmp_path / "data" / "greeks")
    assert greeks(GOOD)[0] == 0
    assert files_in(tmp_path / "data" / "greeks") == before
    assert len(list(Path("data/metrics").glob("pipeline-run-*.json"))) == 2


def test_one_failed_expiration_exits_1_and_the_others_are_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def answer(request: GreeksRequest) -> Answer:
        body = rows_of(request, request.trade_dates[0], 3000)
        if request.expiration.day == 15:
            return Answer(body, chunked=True, cut=len(body) // 2)
        return Answer(body)

    code, _ = greeks(f"{GOOD} --attempts 2", terminal(answer))
    assert code == 1
    printed = summary()
    assert (printed["status"], printed["successful_expirations"]) == ("failed", 2)
    (error,) = printed["errors"]  # type: ignore[misc]  # -- one, or the test fails
    assert error["expiration"] == "SPXW expiring 2024-03-15 on 2024-03-14"  # type: ignore[has-type]
    assert error["error_type"] == "BrokenResponse"  # type: ignore[has-type]
    assert "failed: SPXW expiring 2024-03-15 on 2024-03-14: the answer " in capsys.readouterr().err
    assert len(files_in(tmp_path / "data" / "greeks")) == 2


def test_an_empty_expiration_among_others_is_no_failure() -> None:
    code, _ = greeks(
        GOOD,
        terminal(
            lambda request: (
                NO_DATA
                if request.expiration.day == 15
                else Answer(rows_of(request, request.trade_dates[0], 5))
            )
        ),
    )
    assert code == 0
    assert summary()["empty_expirations"] == 1


def test_every_expiration_empty_on_a_trading_day_exits_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _ = greeks(GOOD, terminal(lambda request: NO_DATA))
    assert code == 1
    assert "every expiration was empty on a trading day" in capsys.readouterr().err


@pytest.mark.parametrize("day", ["2024-03-29", "2024-03-16"])
def test_a_closed_market_is_reported_and_exits_0(
    day: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, server = greeks(f"download --symbol SPXW --start_date {day}")
    assert code == 0
    assert f"the market was closed on {'Friday' if day[-1] == '9' else 'Saturday'} {day}" in (
        capsys.readouterr().out
    )
    assert summary()["total_expirations"] == 0
    assert not any("greeks" in path for path, _ in server.seen)


def test_an_unknown_symbol_exits_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert greeks("download --symbol NOPE --start_date 2024-03-14")[0] == 1
    assert "lists no expirations of NOPE" in capsys.readouterr().err
    assert summary()["status"] == "failed"


def test_no_terminal_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    with scripted_server(terminal()) as server:
        gone = server.url
    assert main([*shlex.split(GOOD), "--terminal", gone]) == 3
    assert "no Theta Terminal answers at" in capsys.readouterr().err


def test_a_terminal_that_is_not_connected_exits_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert greeks(GOOD, terminal(status=b"DISCONNECTED"))[0] == 3
    assert "'DISCONNECTED', not 'CONNECTED'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("other", "instead"),
    [
        (
            "--interval 1m",
            "--start_date 2024-03-14 --interval 1m --terminal {} --output data/greeks-20240314-1m",
        ),
        (
            "--start_date 2024-03-13",
            "--start_date 2024-03-13 --terminal {} --output data/greeks-daily --layout daily",
        ),
        (
            "--format parquet",
            "--start_date 2024-03-14 --terminal {} --output data/greeks-parquet --format parquet",
        ),
        pytest.param(
            "--compression gzip",
            "--start_date 2024-03-14 --terminal {} --output data/greeks-csv-gz --compression gzip",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "--layout daily",
            "--start_date 2024-03-14 --terminal {} --output data/greeks-daily --layout daily",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_file_that_another_request_made_is_left_alone(
    other: str, instead: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert greeks(GOOD)[0] == 0
    before = files_in(tmp_path / "data" / "greeks")
    code, server = greeks(f"{GOOD} {other}")
    assert code == 2
    printed = capsys.readouterr().err
    assert "was made by another request" in printed or "rows twice" in printed
    assert "othing was fetched" in printed
    # The command that it says to run is one that works.
    command = f"download --symbol SPXW {instead.format(server.url)}"
    assert f"  {shlex.join(program())} {command}\n" in printed
    with scripted_server(terminal()) as again:
        assert main(shlex.split(command.replace(server.url, again.url))) == 0
    assert files_in(tmp_path / "data" / "greeks") == before
    assert not any("greeks" in path for path, _ in server.seen)


def test_a_pattern_names_the_files(tmp_path: Path) -> None:
    code, _ = greeks(
        f"{GOOD} --file_name_pattern '{{symbol}}/{{interval}}/{{expiration:%y%m%d}}' "
        "--format parquet --compression snappy"
    )
    assert code == 0
    assert sorted(files_in(tmp_path / "data" / "greeks"))[0] == "SPXW/5m/240314.parquet"


def test_a_broken_manifest_is_reported_with_its_place_and_nothing_is_fetched(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert greeks(GOOD)[0] == 0
    entry = next((tmp_path / "data" / "greeks.meta" / "files").rglob("*.json"))
    entry.write_text("broken")
    before = files_in(tmp_path / "data" / "greeks")
    code, server = greeks(GOOD)
    assert code == 2
    printed = capsys.readouterr().err
    assert f"{entry.relative_to(tmp_path)} is not an entry of the manifest" in printed
    assert "move it away, and the file that it is about as well" in printed
    assert files_in(tmp_path / "data" / "greeks") == before
    assert not any("greeks" in path for path, _ in server.seen)


@pytest.mark.parametrize("command", ["--help", "download --help", "terminal --help", "--version"])
def test_help_is_printed(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(command))
    assert ended.value.code == 0
    assert "greeks" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "download --help",
        "config show",
        "download --symbol SPXW",
        "download --symbol SPXW --start_date 2024-03-14 --max_dte -1",
        "download --symbol SPXW --start_date 2024-03-14 --config nowhere.toml",
        "diff --formt x a b",
    ],
)
def test_help_and_a_usage_error_do_not_wait_for_beam(command: str) -> None:
    code = (
        "import sys\n"
        "from pipeline.cli.main import main\n"
        "try:\n"
        f"    main({shlex.split(command)!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "print('Beam' if 'apache_beam' in sys.modules else 'none', file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "none"


def test_no_flag_of_ours_is_also_beams() -> None:
    import re

    from pipeline.cli.beam_flags import _parser
    from pipeline.cli.main import make_parser

    ours, beams = (
        set(re.findall(r"^  (?:-h, )?(--\w+)", parser.format_help(), re.MULTILINE))
        for parser in (make_parser().commands["download"], _parser())
    )
    assert len(ours) > 10
    assert len(beams) > 100
    assert ours & beams == {"--help"}


@pytest.fixture(autouse=True)
def quiet_logging() -> Iterator[None]:
    import logging

    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)
