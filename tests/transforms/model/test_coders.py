from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipeline.graph import build
from tests.support.answers import rows_of
from tests.support.data import batches_of, layout_in, request_for
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.dispatch import Terminal, deal
from transforms.fetch import FetchGreeks
from transforms.model import EMPTY, ExpirationResult, Failure, Item, Restart, Trailer, Withdrawn
from transforms.model.coders import ItemCoder
from transforms.sinks.csv import CsvSink
from transforms.write import WriteGreeks

REQUEST = request_for("2024-03-15")
(ROWS,) = batches_of(REQUEST, 5000, 5000)
FAILURE = Failure("OSError", "full")
ITEMS = [
    ROWS,
    ROWS.slice(4000, 700),
    ROWS.slice(0, 0),
    Restart(),
    Withdrawn(FAILURE),
    Trailer(5, 5000, failure=FAILURE),
    ExpirationResult(REQUEST, EMPTY),
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: type(item).__name__)
def test_what_is_coded_is_the_same_again(item: Item) -> None:
    again = ItemCoder().decode(ItemCoder().encode(item))
    assert type(again) is type(item)
    assert again == item


def test_a_slice_is_coded_and_weighed_without_the_rest() -> None:
    coder, part = ItemCoder(), ROWS.slice(1000, 1000)
    assert len(coder.encode(part)) < len(coder.encode(ROWS)) / 4
    for rows in (part, ROWS):
        assert coder.estimate_size(rows) == pytest.approx(len(coder.encode(rows)), rel=0.1)


def test_beam_codes_with_it_what_is_fetched() -> None:
    work = deal([REQUEST], [Terminal("http://127.0.0.1:1")])
    fetched = beam.Pipeline() | beam.Create(work) | FetchGreeks()
    _, coder = beam.coders.registry.get_coder(fetched.element_type).coders()
    assert isinstance(coder, ItemCoder)


def test_a_download_codes_nothing_that_it_fetches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded: list[Item] = []
    monkeypatch.setattr(ItemCoder, "encode", lambda _self, item: coded.append(item))
    weighed: list[int] = []
    weigh = ItemCoder.estimate_size

    def weighing(self: ItemCoder, item: Item) -> int:
        weighed.append(weigh(self, item))
        return weighed[-1]

    monkeypatch.setattr(ItemCoder, "estimate_size", weighing)
    answer = Answer(rows_of(REQUEST, REQUEST.trade_dates[0], 20_000))
    with scripted_server(terminal(lambda _request: answer)) as server:
        pipeline = beam.Pipeline(runner=FnApiRunner())
        build(
            pipeline,
            [REQUEST],
            [Terminal(server.url)],
            FetchGreeks(1000),
            WriteGreeks(CsvSink(layout_in(tmp_path), "none")),
        )
        pipeline.run()
    assert coded == []
    assert len(weighed) >= 10
