import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.main import main
from pipeline.history import FAILED, SUCCEEDED, Record, open_store

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def keep(status: str = SUCCEEDED, metrics: str = "data/metrics", **more: Any) -> str:
    store = open_store(metrics)
    record: Record = {
        "request": {
            "symbol": ["SPXW"],
            "start_date": "2024-03-14",
            "end_date": "2024-03-15",
            "interval": "5m",
            "parameters": {"rate_type": "sofr"},
        },
        "source": {"terminal": "http://127.0.0.1:25503", "api": "v3", "data": "live"},
    }
    run_id = store.start(record)
    done = {
        "total_duration": 65.0,
        "total_expirations": 2,
        "total_records": 12_345,
        "successful_expirations": 2,
        "failed_expirations": 0,
        "total_data_size": 2_500_000,
        "average_throughput": 190.0,
        "peak_throughput": 400,
        "peak_memory_usage": 170.2,
        "average_memory_usage": 160.0,
    }
    store.finish(record | {"status": status} | done | more)
    return run_id


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["runs", *arguments]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def test_a_list_is_a_table_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = keep(), keep(FAILED)
    heading, *lines = printed(capsys, "list").splitlines()
    assert heading.split()[:3] == ["run", "status", "symbols"]
    assert [line.split()[:5] for line in lines] == [
        [second, "failed", "SPXW", "2024-03-14–2024-03-15", "5m"],
        [first, "succeeded", "SPXW", "2024-03-14–2024-03-15", "5m"],
    ]
    assert lines[0].split()[5:] == ["2", "12,345", "2.5", "MB", "1:05", "190", "170", "MiB"]
    assert len(printed(capsys, "list", "--status", "failed", "--symbol", "spxw").splitlines()) == 2
    assert "no such run in data/metrics" in printed(capsys, "list", "--since", "2100-01-01T10:00")
    assert len(json.loads(printed(capsys, "list", "--json", "--limit", "1"))) == 1
    assert len(json.loads(printed(capsys, "list", "--json", "--limit", "0"))) == 2


def test_an_empty_history_is_no_error(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "no such run in data/metrics" in printed(capsys, "list")
    assert printed(capsys, "list", "--json") == "[]\n"
    assert not (tmp_path / "data").exists()


def test_to_look_at_a_database_that_is_not_there_makes_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    metrics = "sqlite:///runs.db"
    out = printed(capsys, "list", "--metrics", metrics)
    assert "no such run in sqlite:///runs.db (which the first run will make)" in out
    out = printed(capsys, "show", "last", "--metrics", metrics, code=1)
    assert "has no last run" in out
    assert list(tmp_path.iterdir()) == []
    keep(metrics=metrics)
    assert len(printed(capsys, "list", "--metrics", metrics).splitlines()) == 2


def test_googles_store_without_its_extra_is_reported_with_the_remedy(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "apache_beam.io.gcp.gcsfilesystem", None)
    place = "gs://bucket/runs"
    assert main(["runs", "list", "--metrics", place]) != 0
    assert main(["verify", "--output", place]) != 0
    download = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
    assert main([*download, "--output", place]) == 2
    captured = capsys.readouterr()
    mentions = (captured.out + captured.err).count("pip install 'theta-greeks-pipeline[gs]'")
    assert mentions == 3


@pytest.mark.parametrize("place", ["mysql://me:hunter2@db/runs", "ftp://host/runs"])
def test_a_place_that_nobody_knows_is_reported_without_its_password(
    place: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    known = "sqlite:///PATH or postgresql://HOST/DATABASE"
    assert known in printed(capsys, "list", "--metrics", place, code=1)
    download = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14"]
    assert main([*download, "--metrics", place]) == 2
    assert main([*download, "--output", place]) == 2
    main(["doctor", "--terminal", "http://127.0.0.1:9", "--metrics", place])
    captured = capsys.readouterr()
    assert captured.err.count(f"no file system here knows {place.partition('//')[0]}//") == 2
    assert f"no file system here knows {place.partition('//')[0]}//" in captured.out
    assert "hunter2" not in captured.out + captured.err
    assert list(tmp_path.iterdir()) == []


def test_foreign_files_are_reported_once_each_and_no_more_than_a_few(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    keep()
    for number in range(7):
        (tmp_path / "data" / "metrics" / f"mine{number}.json").write_text("{}")
    out = printed(capsys, "list")
    assert out.count("skipped: data/metrics/mine") == 5
    assert "skipped: 2 more" in out


def test_a_run_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    samples = {
        name: [float(n) for n in range(100)]
        for name in ("seconds", "rows", "bytes", "done", "in_flight", "memory")
    }
    errors = [{"expiration": "SPXW 2024-03-15", "error_type": "E", "message": "it broke"}] * 12
    run_id = keep(FAILED, errors=errors, samples=samples, failed_expirations=12)
    out = printed(capsys, "show", "last")
    assert out == printed(capsys, "show", run_id)
    lines = out.splitlines()
    assert lines[0] == f"run          {run_id}: failed"
    assert "from         http://127.0.0.1:25503 (v3, live)" in lines
    assert "expirations  2: 2 successful, 12 failed" in lines
    assert "rows         12,345, 2.5 MB, 190 rows/s, in the best second 400" in lines
    assert out.count("it broke") == 10
    assert "and 2 more: see --json" in out
    assert lines[-1].split() == ["1:39", "99", "99", "99", "MiB"]
    assert len(lines) - lines.index(next(x for x in lines if x.startswith("over time"))) <= 7
    assert json.loads(printed(capsys, "show", run_id, "--json"))["samples"] == samples


def test_the_last_two_runs_are_compared_and_a_regression_exits_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = keep(), keep(average_throughput=100.0)
    out = printed(capsys, "compare", "previous", "last", code=1)
    assert "regression: throughput went from 190 rows/s to 100 rows/s, -47.4%" in out
    assert printed(capsys, "compare", first, second, "--tolerance", "50").endswith(
        "no regression\n"
    )
    compared = json.loads(printed(capsys, "compare", first, second, "--json", code=1))
    assert (compared["before"], compared["after"]) == (first, second)
    assert len(compared["regressions"]) == 1


def test_a_run_that_is_not_there_is_reported_and_exits_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "greeks runs: data/metrics has no last run" in printed(capsys, "show", "last", code=1)
    keep()
    assert "has no previous run" in printed(capsys, "compare", "previous", "last", code=1)
    assert "has no run 'x': see greeks runs list" in printed(capsys, "show", "x", code=1)


def test_a_history_in_a_database_is_reported_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    url = "sqlite:///runs.db"
    run_id = keep(metrics=url)
    assert run_id in printed(capsys, "list", "--metrics", url)
    assert f"{run_id}: succeeded" in printed(capsys, "show", "last", "--metrics", url)


def test_a_database_that_can_not_be_reached_is_reported_without_its_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = printed(capsys, "list", "--metrics", "postgresql://me:hush@127.0.0.1:9/x", code=1)
    assert "greeks runs: the run history in postgresql://me:***@127.0.0.1:9/x can't be used" in out
    assert "hush" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--since", "yesterday"], "'yesterday' is not a time: YYYY-MM-DD"),
        (["list", "--status", "odd"], "--status"),
        (["list", "--metrics", "postgresql://me:hush@db"], "postgresql://me:***@db"),
        (["list", "--lmit", "2"], "--lmit is not a flag of greeks runs"),
        (["show"], "RUN"),
    ],
)
def test_a_wrong_flag_exits_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", *arguments])
    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert words in err
    assert "hush" not in err


def test_what_a_summary_does_not_list_is_shown_from_the_results_beside_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    results = [
        {
            "symbol": "SPXW",
            "expiration": f"2024-03-{day}",
            "missing_dates": "2024-03-13",
        }
        for day in range(14, 29)
    ]
    (tmp_path / "lines").write_text("".join(f"{json.dumps(each)}\n" for each in results))
    files = [str(tmp_path / "lines")]
    run_id = keep(expirations=results[:1], results_files=files)
    out = printed(capsys, "show", run_id)
    assert "SPXW expiring 2024-03-23: no rows on 2024-03-13" in out
    assert "and 5 more: see --json" in out
    assert f"results      data/metrics/pipeline-run-{run_id}.results.jsonl" in out
    # Without that file the run is not shown as if it had one result.
    Path(f"data/metrics/pipeline-run-{run_id}.results.jsonl").unlink()
    for command in ("runs show", "report --png data/drawn"):
        assert main([*command.split(), run_id]) == 1
        assert f"{run_id}.results.jsonl any more" in capsys.readouterr().err
