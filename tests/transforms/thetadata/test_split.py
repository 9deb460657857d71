"""A 570 is split without moving a row, whatever the Terminal's own order is."""

from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest

from tests.support.answers import HEADER
from tests.support.market import NO_DATA
from tests.support.scripted import Answer, Script, scripted_server
from transforms.model import GreeksRequest
from transforms.orders import schema_of
from transforms.thetadata import RetryPolicy, StatusError, ThetaClient
from transforms.thetadata.csv_reader import MOST_CONTRACTS
from transforms.thetadata.small_csv import MOST_BYTES, rows_of

DAY = date(2024, 3, 14)
REQUEST = GreeksRequest("SPXW", date(2024, 3, 15), (DAY,))
STRIKES = ("5000.000", "5005.000", "5010.000")
TIMES = ("09:30:00", "09:35:00", "09:40:00", "09:45:00")
ORDERS = {
    "strike by strike": list(product(STRIKES, ("CALL", "PUT"))),
    "right by right": [(s, r) for r in ("PUT", "CALL") for s in reversed(STRIKES)],
    "neither": [
        ("5005.000", "PUT"),
        ("5000.000", "CALL"),
        ("5010.000", "CALL"),
        ("5005.000", "CALL"),
        ("5000.000", "PUT"),
        ("5010.000", "PUT"),
    ],
}


def terminal(order: list[tuple[str, str]], limit: int, late: tuple[str, str] | None) -> Script:
    """A Terminal with an order of its own and a limit of rows; `late` has no row at 09:30."""

    def rows(query: dict[str, str]) -> Iterator[str]:
        for strike, right in order:
            if query.get("strike", strike) != strike:
                continue
            if query.get("right", right.lower()) != right.lower():
                continue
            for time in TIMES:
                if not query.get("start_time", "") <= time <= query.get("end_time", "24"):
                    continue
                if (strike, right) == late and time == "09:30:00":
                    continue
                stamp = f"{DAY}T{time}"
                yield f"SPXW,2024-03-15,{strike},{right},{stamp},1,2{',0' * 6},0.2,0,{stamp},5010"

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/option/list/strikes":
            lines = [f"SPXW,{strike}" for strike in (STRIKES[2], STRIKES[0], STRIKES[1])]
            return Answer("\r\n".join(["symbol,strike", *lines, ""]).encode())
        lines = list(rows(query))
        if not lines:
            return NO_DATA
        if len(lines) > limit:
            return Answer(b"Request too large", status=570, content_type="text/plain")
        return Answer("\r\n".join([HEADER, *lines, ""]).encode())

    return answer


@pytest.mark.parametrize("late", [None, ("5005.000", "CALL")])
@pytest.mark.parametrize("limit", [12, 8, 6, 4])
@pytest.mark.parametrize("order", list(ORDERS))
def test_no_row_is_moved_lost_or_doubled(
    order: str, limit: int, late: tuple[str, str] | None
) -> None:
    policy = RetryPolicy(attempts=1)
    tables = []
    for most in (10**6, limit):
        script = terminal(ORDERS[order], most, late)
        with scripted_server(script) as server, ThetaClient(server.url, policy=policy) as client:
            if limit < len(STRIKES) * 2 and most == limit:
                # Not even one row of each contract fits: the order can't be asked for.
                with pytest.raises(StatusError, match="570 LARGE_REQUEST .*coarser --interval"):
                    client.table(REQUEST)
                return
            tables.append(client.table(REQUEST))
    whole, split = tables
    assert whole.num_rows == 24 - (late is not None)
    if late is None:
        assert split == whole
    else:
        # Its place in the Terminal's order is not known: it comes beside its strike.
        assert sorted(map(str, split.to_pylist())) == sorted(map(str, whole.to_pylist()))


def test_a_contract_that_is_too_large_alone_is_an_error() -> None:
    script = terminal([("5000.000", "CALL")], 3, None)
    policy = RetryPolicy(attempts=1)
    with (
        scripted_server(script) as server,
        ThetaClient(server.url, policy=policy) as client,
        pytest.raises(StatusError, match="570"),
    ):
        client.table(REQUEST)


def test_more_contracts_than_any_expiration_has_fit_the_answer_that_lists_them() -> None:
    names = ",".join(schema_of("all").names)
    query = ("/v3/option/history/greeks/all", {"symbol": "SPXW", "expiration": "2024-03-15"})
    longest = ",".join(["-1000.0000"] * 24)
    lines = [
        f"SPXW,2024-03-15,{strike}.000,{right},2024-03-14T09:30:00.000,{longest},"
        "2024-03-14T09:30:00.000,51234.0000"
        for strike in range(10_000, 10_000 + MOST_CONTRACTS // 2)
        for right in ("CALL", "PUT")
    ]
    text = "\n".join([names, *lines, ""])
    assert len(text) < MOST_BYTES
    assert len(rows_of(text, query, ("strike", "right"))) == MOST_CONTRACTS
