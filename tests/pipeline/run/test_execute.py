"""A run without its command: what a program that downloads calls."""

import logging
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from pipeline import history
from pipeline.config import DownloadConfig
from pipeline.errors import NothingMatched
from pipeline.run.execute import execute
from pipeline.run.job import Job
from pipeline.run.session import Session
from pipeline.simulator.server import TerminalServer
from tests.support.data import files_in
from transforms.metrics.summary import RunSummary

DAY = date(2024, 3, 14)


def config_for(folder: Path, url: str, symbol: str = "SPXW") -> DownloadConfig:
    return DownloadConfig(
        symbols=(symbol,),
        start_date=DAY,
        end_date=DAY,
        max_dte=1,
        interval="1h",
        terminal=url,
        output=str(folder / "greeks"),
        metrics=str(folder / "runs"),
        progress="none",
    )


def session_of(config: DownloadConfig) -> tuple[Session, Job]:
    job = Job(PipelineOptions())
    return Session(config, runner=job.runner, local=job.local), job


@pytest.mark.slow
def test_two_runs_of_one_process_at_once_are_whole_and_change_nothing_in_it(
    tmp_path: Path,
) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()

    def of_process() -> tuple[object, ...]:
        return (
            signal.getsignal(signal.SIGINT),
            signal.getsignal(signal.SIGTERM),
            threading.excepthook,
            logging.getLogger().level,
            logging.getLogger("apache_beam.runners.worker").level,
        )

    def run(folder: Path) -> RunSummary:
        session, job = session_of(config_for(folder, server.url))
        summary = execute(session, job)
        session.finish(summary, history.SUCCEEDED)
        return summary

    before = of_process()
    with TerminalServer(latency=0.05) as server, ThreadPoolExecutor() as pool:
        summaries = list(pool.map(run, folders))
    assert of_process() == before
    assert [each.successful_expirations for each in summaries] == [2, 2]
    made = [files_in(folder / "greeks") for folder in folders]
    assert len(made[0]) == 2
    assert made[0] == made[1]
    for folder in folders:
        (head,) = history.open_store(str(folder / "runs")).heads(history.Query())
        assert head["status"] == history.SUCCEEDED


def test_a_run_that_is_asked_to_stop_before_it_begins_sends_nothing_and_leaves_no_stop_file(
    tmp_path: Path,
) -> None:
    with TerminalServer() as server:
        session, job = session_of(config_for(tmp_path, server.url))
        session.ask_to_stop()
        with pytest.raises(Exception, match="asked to stop"):
            execute(session, job)
        assert server.stats()["history"]["requests"] == 0
    assert not Path(session.stop.path).exists()
    assert session.results_so_far(None).total_expirations == 0


def test_a_run_that_fails_before_its_graph_has_a_record_with_the_reason(tmp_path: Path) -> None:
    with TerminalServer() as server:
        session, job = session_of(config_for(tmp_path, server.url, symbol="NOPE"))
        with pytest.raises(NothingMatched) as error:
            execute(session, job)
    path = session.finish(session.results_so_far(error.value), history.FAILED)
    record = history.find_run(history.open_store(str(tmp_path / "runs")), session.layout.run_id)
    assert Path(path).is_file()
    assert record["status"] == history.FAILED
    assert record["errors"][0]["error_type"] == "NothingMatched"
    assert not (tmp_path / "greeks").exists()
