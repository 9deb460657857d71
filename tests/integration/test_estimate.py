from datetime import date
from pathlib import Path

import pytest

from pipeline.config import DownloadConfig
from pipeline.history.sizes import Workload
from pipeline.planning.estimate import from_history
from pipeline.planning.plan import make_plan
from pipeline.planning.probe import from_probe
from pipeline.simulator.server import TerminalServer
from tests.support.command import greeks_here, summaries
from transforms.thetadata import ThetaClient


@pytest.mark.slow
def test_estimates_come_near_what_a_run_then_has(terminal: TerminalServer, tmp_path: Path) -> None:
    flags = ["download", "--symbol", "SPXW", "--start_date", "2024-03-14", "--interval", "30m"]
    greeks_here(tmp_path, *flags, "--terminal", terminal.url)
    (earlier,) = summaries(tmp_path)
    # Another day, another interval: nothing of it was seen before.
    flags[4:] = ["2024-03-20", "--interval", "15m"]
    config = DownloadConfig(("SPXW",), date(2024, 3, 20), date(2024, 3, 20), interval="15m")
    with ThetaClient(terminal.url) as client:
        plan = make_plan(client, config)
        probed = from_probe(client, plan, config, concurrency=4)
    printed = from_history(
        Workload(plan.requests), config, [earlier], concurrency=4, data="simulated"
    )
    greeks_here(tmp_path, *flags, "--terminal", terminal.url, "--output", "data/other")
    actual = summaries(tmp_path)[-1]
    assert printed is not None
    assert printed.rows == pytest.approx(actual["total_records"], rel=0.1)
    assert printed.bytes == pytest.approx(actual["total_data_size"], rel=0.1)
    assert probed is not None
    assert probed.rows == pytest.approx(actual["total_records"], rel=0.5)
    assert probed.bytes == pytest.approx(actual["total_data_size"], rel=0.5)
    assert "a probe of SPXW 2024-04-" in probed.basis
