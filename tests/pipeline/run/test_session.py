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
from tests.support.waiting import wait_for
from transforms.metrics.reporter import Reporter
from transforms.model import WRITTEN, ExpirationResult


@pytest.mark.parametrize("length", [10, 120])
def test_results_are_heard_however_long_the_path_for_temporary_files_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    """Of a path of 108 bytes a socket can't be had: nothing was shown before the end there."""
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
        request = request_for("2024-03-14")
        tally = Tally([request])
        session.measured = Measured(MemorySampler([]), tally, Display(), None)
        with session.measured:
            progress = session.measured.progress
            assert not session.has_all_results()
            address, progress.address = progress.address, None
            # Where nothing can be heard, workers that end may have done all.
            assert session.has_all_results()
            progress.address = address
            reporter = Reporter(address)
            reporter.ended(ExpirationResult(request, WRITTEN, rows=7))
            wait_for("the result", session.has_all_results)
            reporter.close()
