import pytest

from pipeline.history.sizes import Sizes
from pipeline.progress.display import in_flight
from pipeline.progress.snapshot import Flight
from pipeline.progress.tally import Tally
from tests.support.data import request_for

NEAR, FAR = request_for("2024-03-14"), request_for("2024-03-24")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def about(expiration: str, kind: str, **more: object) -> dict[str, object]:
    dates = {"first_trade_date": "2024-03-14", "last_trade_date": "2024-03-14"}
    dates["greeks"] = "first_order"
    return {"kind": kind, "symbol": "SPXW", "expiration": expiration, **dates, **more}


def done(expiration: str, rows: int, status: str = "written") -> dict[str, object]:
    return about(expiration, "result", rows=rows, bytes=rows * 100, status=status)


def test_rows_count_while_they_are_under_way_and_once_they_are_done() -> None:
    clock = Clock()
    tally = Tally([NEAR, FAR], clock=clock)
    tally.take(about("2024-03-14", "started"))
    tally.take(about("2024-03-14", "rows", rows=500, bytes=50_000))
    clock.now += 2
    now = tally.snapshot()
    assert (now.done, now.total, now.rows, now.bytes) == (0, 2, 500, 50_000)
    assert now.in_flight == (Flight("SPXW 2024-03-14", 500),)
    assert now.remaining is None
    assert tally.take(done("2024-03-14", 800))
    assert not tally.take(done("2024-03-14", 800))
    assert not tally.take(about("2024-03-14", "rows", rows=900, bytes=1))
    now = tally.snapshot()
    assert (now.done, now.rows, now.bytes, now.in_flight) == (1, 800, 80_000, ())


def test_seconds_count_from_the_start_of_the_run_and_rates_from_that_of_the_fetch() -> None:
    clock = Clock()
    tally = Tally([NEAR], clock=clock, began=97.0)
    clock.now += 1
    tally.take(about("2024-03-14", "rows", rows=1000, bytes=1))
    now = tally.snapshot()
    assert (now.seconds, now.rows_now, now.rows_average) == (4.0, 1000.0, 250.0)


def test_an_interrupted_expiration_is_not_done() -> None:
    tally = Tally([NEAR, FAR], clock=Clock())
    tally.take(about("2024-03-14", "started"))
    assert tally.take(done("2024-03-14", 0, "interrupted"))
    assert not tally.take(done("2024-03-14", 0, "interrupted"))
    tally.take_remote("RUNNING", {"expirations_interrupted": 2, "expirations_written": 0})
    now = tally.snapshot()
    assert (now.done, now.in_flight) == (0, ())


def test_rates_are_of_the_last_seconds_and_of_all() -> None:
    clock = Clock()
    tally = Tally([NEAR], clock=clock)
    for second in range(21):
        # 1000 rows a second for ten seconds, then 100.
        rows = 1000 * min(second, 10) + 100 * max(second - 10, 0)
        tally.take(about("2024-03-14", "rows", rows=rows, bytes=rows * 10))
        clock.now = 100.0 + second
        now = tally.snapshot()
    assert now.rows_now == pytest.approx(100)
    assert now.bytes_now == pytest.approx(1000)
    assert now.rows_average == pytest.approx(11_000 / 20)


def test_an_expiration_that_starts_over_makes_no_rate_negative() -> None:
    clock = Clock()
    tally = Tally([NEAR], clock=clock)
    tally.take(about("2024-03-14", "rows", rows=500, bytes=1))
    tally.snapshot()
    clock.now += 1
    tally.take(about("2024-03-14", "rows", rows=10, bytes=1))
    assert tally.snapshot().rows_now >= 0


def test_what_remains_is_learnt_from_what_is_done() -> None:
    clock = Clock()
    tally = Tally([NEAR, FAR], clock=clock)
    tally.take(done("2024-03-14", 7900))
    clock.now += 10
    assert tally.snapshot().remaining == pytest.approx(10)
    # Half of it is there already.
    tally.take(about("2024-03-24", "rows", rows=3950, bytes=1))
    clock.now += 5
    assert tally.snapshot().remaining == pytest.approx(5)
    tally.take(done("2024-03-24", 100))
    assert tally.snapshot().remaining == 0


def test_earlier_runs_say_how_far_expirations_compare_with_near_ones() -> None:
    clock = Clock()
    earlier = Sizes()
    earlier.learn("SPXW", 0, 100)
    earlier.learn("SPXW", 10, 25)
    tally = Tally([NEAR, FAR], earlier, clock)
    # Twice as many contracts today as then: the far one will have 50.
    tally.take(done("2024-03-14", 79 * 200))
    clock.now += 20
    assert tally.snapshot().remaining == pytest.approx(5)


def test_failures_and_retries_are_counted_and_teach_no_sizes() -> None:
    tally = Tally([NEAR, FAR])
    tally.take(about("2024-03-14", "waiting", seconds=1, reason="429"))
    tally.take(done("2024-03-14", 0, "failed"))
    now = tally.snapshot()
    assert (now.retries, now.failed, now.remaining) == (1, 1, None)


def test_the_counters_of_a_remote_runner_count_where_nobody_is_heard() -> None:
    tally = Tally([NEAR, FAR])
    tally.take_remote(
        "RUNNING",
        {
            "expirations_written": 1,
            "rows_handed_over": 90,
            "bytes": 7,
            "retries": 2,
            "expirations_failed": 0,
        },
    )
    now = tally.snapshot()
    assert (now.state, now.done, now.rows, now.bytes, now.retries) == ("RUNNING", 1, 90, 7, 2)


@pytest.mark.parametrize(
    "message", [{}, {"symbol": "SPXW", "expiration": "2024-03-14"}, about("2024-03-14", "odd")]
)
def test_what_is_no_message_is_refused(message: dict[str, object]) -> None:
    with pytest.raises(KeyError):
        Tally([NEAR]).take(message)


def test_another_runs_expiration_is_no_news() -> None:
    assert not Tally([NEAR]).take(done("2030-01-01", 5))


def test_a_terminal_that_is_silent_is_shown_with_its_limit() -> None:
    clock = Clock()
    tally = Tally([NEAR, FAR], clock=clock, timeout=300)
    tally.take(about("2024-03-14", "started"))
    tally.take(about("2024-03-24", "started"))
    clock.now += 35
    tally.take(about("2024-03-14", "heard"))
    clock.now += 5
    assert in_flight(tally.snapshot()) == (
        "SPXW 2024-03-24 (0, no byte for 40 s of 300), SPXW 2024-03-14 (0)"
    )


def test_the_wait_before_a_retry_is_no_silence() -> None:
    clock = Clock()
    tally = Tally([NEAR], clock=clock)
    tally.take(about("2024-03-14", "started"))
    tally.take(about("2024-03-14", "waiting", seconds=30, reason="429"))
    clock.now += 30
    assert in_flight(tally.snapshot()) == "SPXW 2024-03-14 (0)"


def test_the_runners_start_is_no_part_of_the_pace() -> None:
    clock = Clock()
    tally = Tally([NEAR, FAR], clock=clock)
    tally.snapshot()
    clock.now += 60  # a cluster may take its time
    tally.take(about("2024-03-14", "started"))
    clock.now += 10
    tally.take(done("2024-03-14", 7900))
    assert tally.snapshot().remaining == pytest.approx(10)


def test_earlier_runs_say_how_long_all_takes_before_any_has_ended() -> None:
    clock = Clock()
    tally = Tally([NEAR, FAR], clock=clock, seconds=100.0)
    assert tally.snapshot().remaining == pytest.approx(100)
    tally.take(about("2024-03-14", "started"))
    clock.now += 30
    assert tally.snapshot().remaining == pytest.approx(70)
    # Longer than any of them, and nothing has ended: nobody knows.
    clock.now += 70
    assert tally.snapshot().remaining is None


def test_what_has_few_rows_is_measured_by_its_requests() -> None:
    clock = Clock()
    requests = [request_for(f"2024-03-{day}") for day in range(14, 24)]
    tally = Tally(requests, clock=clock)
    tally.take(about("2024-03-14", "started"))
    for day in range(14, 19):
        clock.now += 1
        rows = 10_000 if day == 14 else 0
        status = "written" if rows else "empty"
        tally.take({**done(f"2024-03-{day}", rows, status), "seconds": 1.0})
    # All take a second, whatever their rows.
    assert tally.snapshot().remaining == pytest.approx(5)
