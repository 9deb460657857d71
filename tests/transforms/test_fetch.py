from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.answers import SAMPLE, SAMPLE_REQUEST
from tests.support.scripted import Answer, scripted_server
from transforms.fetch import fetch
from transforms.model import Trailer
from transforms.thetadata import RetryPolicy, ThetaClient
from transforms.workers.stop import StopSignal

SOON = RetryPolicy(attempts=2, backoff=0.001, jitter=0)


def stream_of(answer: Answer) -> list[pa.RecordBatch | Trailer]:
    with (
        scripted_server(lambda path, query: answer) as server,
        ThetaClient(server.url, timeout=5, policy=SOON) as client,
    ):
        return list(fetch(client, SAMPLE_REQUEST, batch_size=2))


def test_a_stream_is_its_batches_and_then_one_trailer_that_counts_them() -> None:
    *batches, trailer = stream_of(Answer(SAMPLE))
    assert [batch.num_rows for batch in batches if isinstance(batch, pa.RecordBatch)] == [2, 1]
    assert isinstance(trailer, Trailer)
    assert replace(trailer, seconds=0) == Trailer(batches=2, rows=3, requests=1)
    assert trailer.seconds > 0


def test_no_data_is_a_trailer_alone() -> None:
    (trailer,) = stream_of(Answer(b"No data", status=472))
    assert isinstance(trailer, Trailer)
    assert replace(trailer, seconds=0) == Trailer(0, 0, requests=1)


@pytest.mark.parametrize(
    ("answer", "error_type"),
    [
        (Answer(b"no", status=471), "StatusError"),
        (Answer(SAMPLE, cut=300), "BrokenResponse"),
        (Answer(SAMPLE.replace(b"0.0721", b"x")), "MalformedResponse"),
    ],
)
def test_what_the_terminal_can_not_give_is_reported_by_the_trailer(
    answer: Answer, error_type: str
) -> None:
    *_, trailer = stream_of(answer)
    assert isinstance(trailer, Trailer)
    assert trailer.failure is not None
    assert trailer.failure.error_type == error_type


def test_a_stop_is_reported_by_the_trailer(tmp_path: Path) -> None:
    stop = StopSignal(str(tmp_path / "stop"))
    stop.set()
    with (
        scripted_server(lambda path, query: Answer(SAMPLE)) as server,
        ThetaClient(server.url, stop=stop) as client,
    ):
        (trailer,) = fetch(client, SAMPLE_REQUEST)
        assert isinstance(trailer, Trailer)
        assert trailer.interrupted
        assert server.seen == []
