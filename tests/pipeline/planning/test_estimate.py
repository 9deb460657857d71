from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from pipeline.config import DownloadConfig
from pipeline.history.sizes import Workload
from pipeline.planning.estimate import from_history, usual_bytes_per_row
from tests.support.data import request_for

DAY = date(2024, 3, 14)
CONFIG = DownloadConfig(("SPXW",), DAY, DAY)


def record(**changes: Any) -> dict[str, Any]:
    """A run of one expiration: 100 contracts, 100 bytes and a millisecond a row."""
    done = {
        "symbol": "SPXW",
        "expiration": "2024-03-15",
        "status": "written",
        "first_trade_date": "2024-03-14",
        "last_trade_date": "2024-03-14",
        "rows": 7900,
        "bytes": 790_000,
        "seconds": 7.9,
    }
    request = CONFIG.describe() | changes
    return {"request": request, "source": {"data": "live"}, "expirations": [done]}


REQUESTS = [request_for("2024-03-15"), request_for("2024-03-18")]


def test_rows_bytes_and_seconds_follow_from_what_earlier_runs_had() -> None:
    estimated = from_history(Workload(REQUESTS), CONFIG, [record()], concurrency=2)
    assert estimated is not None
    assert (estimated.rows, estimated.bytes, estimated.basis) == (
        15_800,
        1_580_000,
        "1 earlier run",
    )
    assert estimated.seconds == pytest.approx(7.9)


def test_a_run_of_another_format_tells_the_rows_and_a_table_the_bytes() -> None:
    parquet = replace(CONFIG, format="parquet", compression="zstd")
    estimated = from_history(Workload(REQUESTS), parquet, [record()], concurrency=1)
    assert estimated is not None
    assert estimated.rows == 15_800
    assert estimated.bytes == round(15_800 * usual_bytes_per_row(parquet))


@pytest.mark.parametrize(
    "other",
    [
        record() | {"source": {"data": "simulated"}},
        record() | {"source": {}},
        record(greeks="eod", interval="eod"),
        record(interval="tick"),
        record(parameters={"strike_range": "5"}),
        record(interval="broken"),
        {},
    ],
)
def test_a_run_that_can_not_be_compared_teaches_nothing(other: dict[str, Any]) -> None:
    assert from_history(Workload(REQUESTS), CONFIG, [other], concurrency=1) is None


def test_a_symbol_that_no_run_had_leaves_all_unknown() -> None:
    asked = [*REQUESTS, request_for("2024-03-15", "SPX")]
    assert from_history(Workload(asked), CONFIG, [record()], concurrency=1) is None
