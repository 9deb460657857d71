import tempfile
from pathlib import Path

import pytest

from pipeline.config import DownloadConfig
from pipeline.process.memory import MemorySampler
from pipeline.progress.display import Display
from pipeline.progress.measurement import Measured
from pipeline.progress.tally import Tally
from pipeline.run.session import Session
from tests.support.data import request_for


@pytest.mark.parametrize("length", [10, 120])
def test_where_no_result_is_heard_workers_that_end_may_have_done_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Their end was taken for a death on a busy machine, where a path was too long for a socket."""
    config = DownloadConfig.of(
        symbols="SPXW",
        start_date="2024-03-14",
        output=str(tmp_path / "greeks"),
        metrics=str(tmp_path / "metrics"),
    )
    session = Session(config, runner="FnApiRunner", local=True)
    assert not session.has_all_results()
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = Path(short) / ("t" * length)
        folder.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(folder))
        tally = Tally([request_for("2024-03-14")])
        session.measured = Measured(MemorySampler([]), tally, Display(), None)
        with session.measured:
            assert session.has_all_results() == (length > 100)
