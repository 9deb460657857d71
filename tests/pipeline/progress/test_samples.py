import itertools

from hypothesis import given
from hypothesis import strategies as st

from pipeline.progress.samples import COLUMNS, Samples


def sample(seconds: float) -> dict[str, float]:
    return dict.fromkeys(COLUMNS, 1.0) | {"seconds": seconds}


@given(length=st.integers(1, 5000), most=st.integers(1, 30).map(lambda n: 2 * n))
def test_samples_are_bounded_and_evenly_spread_over_the_whole_run(length: int, most: int) -> None:
    samples = Samples(most, 1.0)
    for second in range(length):
        samples.offer(sample(float(second)))
    samples.finish(sample(length - 0.5))
    seconds = samples.columns()["seconds"]
    assert len(seconds) <= most
    assert seconds[-1] == length - 0.5
    gaps = {b - a for a, b in itertools.pairwise(seconds[:-1])}
    assert len(gaps) <= 1
    if most > 2 and length > most:
        assert seconds[0] == 0
        assert len(seconds) >= most // 2


def test_samples_that_come_too_soon_are_passed_over() -> None:
    samples = Samples(4, 1.0)
    for second in (0.0, 0.5, 1.0, 1.9, 2.0):
        samples.offer(sample(second))
    assert samples.columns()["seconds"] == [0.0, 1.0, 2.0]
    assert set(samples.columns()) == set(COLUMNS)
