import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.history import SUCCEEDED, Record, open_store
from pipeline.reports.build import _missing
from pipeline.reports.source import find_source
from tests.support.data import request_for
from transforms.model import FAILED, WRITTEN, ExpirationResult


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of four expirations, whose summary lists the first one alone."""
    monkeypatch.chdir(tmp_path)
    results: list[dict[str, Any]] = []
    for day in (14, 15, 18, 19):
        path = f"data/greeks/SPXW_202403{day}.csv" if day < 19 else None
        result = ExpirationResult(
            request_for(f"2024-03-{day}"), WRITTEN if path else FAILED, path=path
        )
        results.append(result.describe())
        if path:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text("")
    lines = "".join(f"{json.dumps(each)}\n" for each in results)
    Path("results.jsonl").write_text(lines)
    store = open_store("data/metrics")
    record: Record = {"request": {"symbol": ["SPXW"], "output": "data/greeks"}}
    run_id = store.start(record)
    record |= {"expirations": results[:1], "results_files": ["results.jsonl"]}
    store.finish(record | {"status": SUCCEEDED})
    return run_id


@pytest.mark.parametrize("by_path", [True, False])
def test_a_report_has_the_files_that_the_summary_does_not_list(run: str, by_path: bool) -> None:
    name = f"data/metrics/pipeline-run-{run}.json" if by_path else run
    source = find_source(name, "", "data/metrics")
    assert [path[-6:-4] for path in source.files] == ["14", "15", "18"]
    assert [each["status"] for each in source.results()] == [*[WRITTEN] * 3, FAILED]
    (note,) = _missing(source.results())
    assert "SPXW 2024-03-19" in note
