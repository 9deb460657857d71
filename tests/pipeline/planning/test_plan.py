from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import DownloadConfig
from pipeline.errors import NothingMatched
from pipeline.planning.plan import Plan, make_plan
from tests.support.market import EXPIRATIONS, HOLIDAYS, terminal
from tests.support.scripted import Answer, scripted_server
from transforms.thetadata import RetryPolicy, ThetaClient, ThetaError


def day(text: str) -> date:
    return date.fromisoformat(text)


CONFIG = DownloadConfig(("SPXW",), day("2024-03-14"), day("2024-03-14"))


@pytest.fixture(scope="module")
def client() -> Iterator[ThetaClient]:
    with scripted_server(terminal()) as server, ThetaClient(server.url) as client:
        yield client


def asked(plan: Plan) -> list[tuple[str, str, list[str]]]:
    return [
        (each.symbol, str(each.expiration), [str(date) for date in each.trade_dates])
        for each in plan.requests
    ]


def test_a_trade_date_takes_the_expirations_within_reach(client: ThetaClient) -> None:
    plan = make_plan(client, CONFIG)
    assert [e for _, e, _ in asked(plan)] == ["2024-03-14", "2024-03-15", "2024-03-18"]
    today_only = make_plan(client, replace(CONFIG, max_dte=0))
    assert [e for _, e, _ in asked(today_only)] == ["2024-03-14"]


def test_over_a_range_each_expiration_covers_the_trade_dates_that_qualify(
    client: ThetaClient,
) -> None:
    config = replace(CONFIG, start_date=day("2024-03-13"), end_date=day("2024-03-18"), max_dte=1)
    assert asked(make_plan(client, config)) == [
        ("SPXW", "2024-03-14", ["2024-03-13", "2024-03-14"]),
        ("SPXW", "2024-03-15", ["2024-03-14", "2024-03-15"]),
        ("SPXW", "2024-03-18", ["2024-03-18"]),
    ]


@given(start=st.integers(0, 30), length=st.integers(0, 40), max_dte=st.integers(0, 45))
def test_every_pair_of_trade_date_and_expiration_within_reach_is_asked_once(
    client: ThetaClient, start: int, length: int, max_dte: int
) -> None:
    first = day("2024-03-01") + timedelta(start)
    last = first + timedelta(length)
    config = replace(CONFIG, start_date=first, end_date=last, max_dte=max_dte)
    days = [first + timedelta(n) for n in range(length + 1)]
    expected = {
        (e, d)
        for e in map(day, EXPIRATIONS["SPXW"])
        for d in days
        if d <= e <= d + timedelta(max_dte) and d.weekday() < 5 and d != day("2024-03-29")
    }
    try:
        plan = make_plan(client, config)
    except NothingMatched:
        assert not expected
        return
    pairs = [(r.expiration, d) for r in plan.requests for d in r.trade_dates]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


ABSURD = Answer(b"symbol,expiration\r\nSPX,2024-03-15\r\nSPX,0001-01-01\r\n")
REFUSED = Answer(b"not for you", status=403)


@pytest.mark.parametrize(("broken", "words"), [(ABSURD, "'0001-01-01' is not"), (REFUSED, "403")])
def test_a_symbol_without_a_list_of_expirations_fails_and_the_others_go_on(
    broken: Answer, words: str
) -> None:
    good = terminal()

    def answer(path: str, query: dict[str, str]) -> Answer:
        return broken if query.get("symbol") == "SPX" else good(path, query)

    policy = RetryPolicy(attempts=2, backoff=0.001, jitter=0)
    with scripted_server(answer) as server, ThetaClient(server.url, policy=policy) as client:
        alone = make_plan(client, CONFIG)
        for symbols in (("SPX", "SPXW"), ("SPXW", "SPX")):
            plan = make_plan(client, replace(CONFIG, symbols=symbols))
            assert plan.requests == alone.requests
            (failure,) = plan.failures
            assert failure.message.startswith("SPX: nothing of it is fetched")
            assert words in failure.message
        with pytest.raises(ThetaError, match=words):
            make_plan(client, replace(CONFIG, symbols=("SPX",)))
        far = day("2024-06-03")
        config = replace(CONFIG, start_date=far, end_date=far, symbols=("SPX", "SPXW"))
        with pytest.raises(NothingMatched, match=words):
            make_plan(client, config)


def test_several_symbols_are_asked_each_for_its_own_expirations(client: ThetaClient) -> None:
    plan = make_plan(client, replace(CONFIG, symbols=("SPXW", "SPX")))
    assert [(s, e) for s, e, _ in asked(plan)] == [
        ("SPXW", "2024-03-14"),
        ("SPX", "2024-03-15"),
        ("SPXW", "2024-03-15"),
        ("SPXW", "2024-03-18"),
    ]


def test_expirations_override_the_reach(client: ThetaClient) -> None:
    config = replace(CONFIG, max_dte=0, expirations=(day("2024-04-19"), day("2024-03-15")))
    assert [e for _, e, _ in asked(make_plan(client, config))] == ["2024-03-15", "2024-04-19"]


def test_an_expiration_that_one_of_the_symbols_has_is_asked_of_that_one(
    client: ThetaClient,
) -> None:
    config = replace(CONFIG, symbols=("SPX", "SPXW"), expirations=(day("2024-03-18"),))
    assert [(s, e) for s, e, _ in asked(make_plan(client, config))] == [("SPXW", "2024-03-18")]


def test_an_expiration_that_is_not_listed_is_named_with_the_nearest(client: ThetaClient) -> None:
    config = replace(CONFIG, expirations=(day("2024-03-16"), day("2024-03-15")))
    with pytest.raises(NothingMatched, match="2024-03-16: not listed .*nearest.*2024-03-15"):
        make_plan(client, config)


def test_a_symbol_of_which_nothing_is_fetched_beside_others_is_named(client: ThetaClient) -> None:
    both = replace(CONFIG, symbols=("SPXW", "SPX"), max_dte=0)
    assert make_plan(client, both).notes == (
        "nothing of SPX is fetched: no expiration is within --max_dte 0 days",
    )
    assert not make_plan(client, replace(both, max_dte=1)).notes
    given = make_plan(client, replace(both, expirations=(day("2024-03-18"),)))
    assert given.notes == ("nothing of SPX is fetched: it has none of --expirations",)


def test_an_unknown_symbol_is_named(client: ThetaClient) -> None:
    with pytest.raises(NothingMatched, match="no expirations of NOPE"):
        make_plan(client, replace(CONFIG, symbols=("SPXW", "NOPE")))


def test_nothing_within_reach_is_told(client: ThetaClient) -> None:
    config = replace(CONFIG, start_date=day("2024-03-19"), end_date=day("2024-03-20"), max_dte=5)
    with pytest.raises(NothingMatched, match="within --max_dte 5 days of 2024-03-19 to 2024-03-20"):
        make_plan(client, config)


@pytest.mark.parametrize("closed", ["2024-03-29", "2024-03-16"])
def test_a_day_without_trading_is_an_empty_plan_that_says_so(
    client: ThetaClient, closed: str
) -> None:
    plan = make_plan(client, replace(CONFIG, start_date=day(closed), end_date=day(closed)))
    assert plan == Plan((), (), (day(closed),))


def test_a_holiday_within_a_range_is_left_out_and_told(client: ThetaClient) -> None:
    config = replace(CONFIG, start_date=day("2024-03-28"), end_date=day("2024-04-01"))
    plan = make_plan(client, config)
    assert plan.closed == (day("2024-03-29"),)
    assert [d for _, _, d in asked(plan)] == [["2024-03-28", "2024-04-01"]]


def test_without_a_calendar_the_usual_holidays_hold_and_that_is_told() -> None:
    gone = Answer(b"no", status=404, content_type="text/plain")
    with scripted_server(terminal(holidays=gone)) as server, ThetaClient(server.url) as client:
        config = replace(CONFIG, start_date=day("2024-03-28"), end_date=day("2024-04-01"))
        plan = make_plan(client, config)
    assert [d for _, _, d in asked(plan)] == [["2024-03-28", "2024-04-01"]]
    assert "usual holidays" in plan.notes[0]
    assert HOLIDAYS
