"""v2 answers in pages, from a scripted server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.answers import SAMPLE_REQUEST
from tests.support.scripted import Answer, Scripted, scripted_server
from transforms.thetadata import (
    BrokenResponse,
    MalformedResponse,
    RetryPolicy,
    StatusError,
    ThetaClient,
    ThetaError,
)

SOON = RetryPolicy(attempts=3, backoff=0.001, jitter=0)
HEADER = (
    b"root,expiration,strike,right,ms_of_day,bid,ask,delta,theta,vega,rho,epsilon,lambda,"
    b"implied_vol,iv_error,ms_of_day2,underlying_price,date\n"
)
ROWS = [
    b"AAPL,20241108,262500,%s,%d,0,0.02,0.0026,-0.0141,0.1913,0.0063,-0.0064,55.293,0.5874,"
    b"0.0721,%d,220.66,20241104\n" % (right, 34_200_000 + 60_000 * minute, 34_199_988)
    for right in (b"C", b"P")
    for minute in range(6)
]


@contextmanager
def pages(
    bodies: list[bytes],
    refuse: Callable[[int], bool] = lambda number: False,
    last: str = "null",
    host: str | None = None,
) -> Iterator[tuple[Scripted, ThetaClient]]:
    """Serves pages, their ids going up. `refuse` says which asked page is 477."""
    asked = 0

    def answer(path: str, query: dict[str, str]) -> Answer:
        nonlocal asked
        asked += 1
        number = int(path.rpartition("/")[2]) if "/page/" in path else 0
        if refuse(asked):
            return Answer(b"page gone", status=477)
        following = (
            f"{host or server.url}/v2/page/{number + 1}" if number + 1 < len(bodies) else last
        )
        return Answer(bodies[number], headers={"Next-Page": following})

    with (
        scripted_server(answer) as server,
        ThetaClient(server.url, api="v2", policy=SOON) as client,
    ):
        yield server, client


def whole() -> object:
    with pages([HEADER + b"".join(ROWS)]) as (_, client):
        return client.table(SAMPLE_REQUEST)


@pytest.mark.parametrize("last", ["null", "", "None", "none", "NULL"])
@pytest.mark.parametrize("header", [b"", HEADER])
@pytest.mark.parametrize("cut", [1, 3, 6, 11])
def test_pages_are_one_answer_whether_or_not_they_repeat_the_header(
    cut: int, header: bytes, last: str
) -> None:
    bodies = [HEADER + b"".join(ROWS[:cut]), header + b"".join(ROWS[cut:])]
    with pages(bodies, last=last) as (server, client):
        table = client.table(SAMPLE_REQUEST)
        assert table == whole()
        assert table.num_rows == 12
    assert [path for path, _ in server.seen] == ["/v2/bulk_hist/option/greeks", "/v2/page/1"]


def test_many_pages_lose_nothing() -> None:
    with pages([HEADER + ROWS[0], *ROWS[1:]]) as (_, client):
        assert client.table(SAMPLE_REQUEST) == whole()


@pytest.mark.parametrize("place", [4, 11])
def test_a_page_that_ends_in_the_middle_of_a_line_is_an_error(place: int) -> None:
    bodies = [HEADER + ROWS[0], *ROWS[1:]]
    bodies[place] = bodies[place][:-3]
    with (
        pages(bodies) as (_, client),
        pytest.raises(BrokenResponse, match="in the middle of (a )?line"),
    ):
        client.table(SAMPLE_REQUEST)


def test_a_page_that_is_gone_starts_the_answer_again_without_a_doubled_row() -> None:
    bodies = [HEADER + b"".join(ROWS[:4]), b"".join(ROWS[4:8]), b"".join(ROWS[8:])]
    with pages(bodies, refuse=lambda asked: asked == 3) as (server, client):
        assert client.table(SAMPLE_REQUEST) == whole()
    assert len(server.seen) == 6


def test_pages_that_are_always_gone_are_an_error() -> None:
    bodies = [HEADER + ROWS[0], ROWS[1]]
    with (
        pages(bodies, refuse=lambda asked: asked % 2 == 0) as (_, client),
        pytest.raises(StatusError, match="477 NO_PAGE_FOUND .*lower --concurrency"),
    ):
        client.table(SAMPLE_REQUEST)


def test_a_page_that_says_no_data_is_no_end_of_the_answer() -> None:
    with (
        pages([HEADER + ROWS[0], b"No data for contract"]) as (_, client),
        pytest.raises(BrokenResponse, match="page .* has no data"),
    ):
        client.table(SAMPLE_REQUEST)


@pytest.mark.parametrize(
    "host", ["http://127.0.0.1:25510", "http://169.254.169.254", "https://example.com:1", ""]
)
def test_a_page_is_requested_at_the_address_of_the_terminal_whatever_host_it_names(
    host: str,
) -> None:
    with pages([HEADER + b"".join(ROWS[:5]), b"".join(ROWS[5:])], host=host or "//[") as (
        _,
        client,
    ):
        if host:
            assert client.table(SAMPLE_REQUEST) == whole()
        else:
            with pytest.raises(MalformedResponse, match="next page .* is no URL"):
                client.table(SAMPLE_REQUEST)


@pytest.mark.parametrize("following", ["page/1", "1", "javascript:alert(1)", "/" + "x" * 9000])
def test_a_next_page_that_is_no_url_is_an_error(following: str) -> None:
    def answer(path: str, query: dict[str, str]) -> Answer:
        return Answer(HEADER + ROWS[0], headers={"Next-Page": following})

    with (
        scripted_server(answer) as server,
        ThetaClient(server.url, api="v2", policy=SOON) as client,
        pytest.raises(MalformedResponse, match="the next page of an answer is .* no URL") as raised,
    ):
        client.table(SAMPLE_REQUEST)
    assert len(str(raised.value)) < 300


def test_the_query_of_a_page_is_kept() -> None:
    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v2/page":
            return Answer(ROWS[1])
        return Answer(HEADER + ROWS[0], headers={"Next-Page": "http://other/v2/page?id=7"})

    with (
        scripted_server(answer) as server,
        ThetaClient(server.url, api="v2", policy=SOON) as client,
    ):
        assert client.table(SAMPLE_REQUEST).num_rows == 2
        assert server.seen[1] == ("/v2/page", {"id": "7"})


def test_thousands_of_small_and_empty_pages_lose_nothing() -> None:
    bodies = [HEADER + ROWS[0], *[b""] * 1500, *ROWS[1:]]
    with pages(bodies) as (_, client):
        assert client.table(SAMPLE_REQUEST) == whole()


def test_pages_that_go_round_are_an_error() -> None:
    def answer(path: str, query: dict[str, str]) -> Answer:
        number = int(path[-1]) if "page" in path else 0
        return Answer(HEADER + ROWS[number], headers={"Next-Page": f"/v2/page/{(number + 1) % 3}"})

    with (
        scripted_server(answer) as server,
        ThetaClient(server.url, api="v2", policy=RetryPolicy(attempts=1)) as client,
        pytest.raises(MalformedResponse, match="do not end: /v2/page/1 follows again"),
    ):
        client.table(SAMPLE_REQUEST)
    assert len(server.seen) == 4


@settings(suppress_health_check=list(HealthCheck))
@given(
    bodies=st.lists(
        st.sampled_from(
            [HEADER, *ROWS[:4], b"\n", b"", b",", b"x", ROWS[5][:-9], b"\x00", b"\xff"]
        ),
        min_size=1,
        max_size=6,
    ),
    following=st.lists(
        st.sampled_from(["/v2/page/1", "http://h/v2/page/2", "null", "", "[", "//", "\xe9", "?"]),
        min_size=6,
        max_size=6,
    ),
    closes=st.booleans(),
)
def test_whatever_pages_hold_they_are_rows_or_a_named_error(
    bodies: list[bytes], following: list[str], closes: bool
) -> None:
    FUZZED[:] = [
        Answer(body, headers={"Next-Page": page}, closes=closes)
        for body, page in zip(bodies, following, strict=False)
    ]
    client = fuzzed_client()
    try:
        table = client.table(SAMPLE_REQUEST)
    except ThetaError as error:
        assert len(str(error)) < 1500
    else:
        assert table.num_rows <= len(bodies)


FUZZED: list[Answer] = []


@cache
def fuzzed_client() -> ThetaClient:
    """A client of a Terminal that gives the answers of `FUZZED`, for the rest of the tests."""

    def answer(path: str, query: dict[str, str]) -> Answer:
        return FUZZED.pop(0) if FUZZED else Answer(b"gone", status=477)

    server = KEPT.enter_context(scripted_server(answer))
    policy = RetryPolicy(attempts=1)
    return KEPT.enter_context(ThetaClient(server.url, api="v2", policy=policy))


KEPT = ExitStack()


@pytest.fixture(scope="module", autouse=True)
def kept() -> Iterator[None]:
    with KEPT:
        yield


def test_whole_numbers_become_what_v3_says() -> None:
    with pages([HEADER + b"".join(ROWS)]) as (server, client):
        row = client.table(SAMPLE_REQUEST).to_pylist()[1]
    assert row["strike"] == 262.5
    assert row["timestamp"].isoformat() == "2024-11-04T09:31:00-05:00"
    assert row["underlying_timestamp"].isoformat() == "2024-11-04T09:29:59.988000-05:00"
    assert server.seen[0][1] == {
        "root": "AAPL",
        "exp": "20241108",
        "start_date": "20241104",
        "end_date": "20241104",
        "ivl": "300000",
        "use_csv": "true",
    }


@pytest.mark.parametrize("cell", [b"NaN", b"Infinity", b"null"])
def test_a_cell_that_holds_no_number_is_null_and_a_time_or_a_strike_must_be_one(
    cell: bytes,
) -> None:
    with pages([HEADER + ROWS[0].replace(b"55.293", cell)]) as (_, client):
        assert client.table(SAMPLE_REQUEST)["lambda"].to_pylist() == [None]
    for name in (b"262500", b"34200000"):
        with (
            pages([HEADER + ROWS[0].replace(name, cell)]) as (_, client),
            pytest.raises(MalformedResponse, match="(strike|timestamp) is empty"),
        ):
            client.table(SAMPLE_REQUEST)
