import apache_beam as beam
import pytest
from apache_beam.metrics import Metrics
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineState

from pipeline.runners.remote import GRACE_SECONDS, counters, watch
from tests.support.data import request_for
from transforms.metrics.record import RecordResults
from transforms.model import WRITTEN, ExpirationResult


class Going(PipelineResult):
    """A pipeline that goes on for two looks, on a runner that reports no metrics."""

    def __init__(self) -> None:
        super().__init__(PipelineState.RUNNING)
        self.looks = 0

    @property
    def state(self) -> str:
        self.looks += 1
        return str(PipelineState.RUNNING if self.looks < 3 else PipelineState.CANCELLED)

    def metrics(self) -> None:
        raise NotImplementedError


class Clock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return round(self.now, 6)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Stubborn(Going):
    """A pipeline that ends a second after it is cancelled, and not before."""

    def __init__(self, time: Clock) -> None:
        super().__init__()
        self.time = time
        self.cancelled: list[float] = []

    @property
    def state(self) -> str:
        ended = self.cancelled and self.time() >= self.cancelled[0] + 1
        return str(PipelineState.CANCELLED if ended else PipelineState.RUNNING)

    def cancel(self) -> None:
        self.cancelled.append(self.time())


def test_our_counters_are_read_from_what_a_runner_reports() -> None:
    pipeline = beam.Pipeline(runner=FnApiRunner())
    results = [ExpirationResult(request_for("2024-03-14"), WRITTEN, 300, 4000, requests=2)]
    _ = pipeline | beam.Create(results) | RecordResults() | beam.Map(_foreign)
    reports = counters(pipeline.run())
    assert reports == {"expirations_written": 1, "rows": 300, "bytes": 4000, "requests": 2}


def _foreign(result: ExpirationResult) -> ExpirationResult:
    Metrics.counter("another", "rows").inc(99)
    return result


def test_a_pipeline_is_watched_until_it_ends_however_it_ends() -> None:
    reports: list[tuple[str, dict[str, int]]] = []
    time = Clock()
    watch(
        Going(),
        lambda state, counted: reports.append((state, dict(counted))),
        sleep=time.sleep,
        clock=time,
    )
    assert reports == [("RUNNING", {})]
    assert time.now == pytest.approx(0.2)


def test_a_job_that_does_not_stop_by_itself_is_cancelled_once() -> None:
    time = Clock()
    job = Stubborn(time)
    watch(job, lambda state, counted: None, lambda: time.now >= 5, time.sleep, time)
    assert job.cancelled == [pytest.approx(5 + GRACE_SECONDS, abs=0.2)]


def test_nothing_is_reported_of_one_that_has_ended() -> None:
    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = pipeline | beam.Create([1])
    watch(pipeline.run(), lambda state, counted: 1 / 0)  # type: ignore[arg-type]  # -- nobody reads it
