"""A 570 is split without moving a row, whatever the Terminal's own order is."""

from collections.abc import Iterator
from datetime import date
from itertools import product

import pytest

from tests.support.answers import HEADER
from tests.support.market import NO_DATA
from tests.support.scripted import Answer, Script, scripted_server
from transforms.model import GreeksRequest
from transforms.thetadata import RetryPolicy, StatusError, ThetaClient

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
