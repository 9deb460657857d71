from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from transforms.workers.in_order import in_order


def test_results_come_in_order_and_few_items_are_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(4) as pool:
        for number, result in enumerate(in_order(pool, lambda each: each * 2, items())):
            assert result == 2 * number
            assert len(taken) <= number + 20
    assert len(taken) == 100


def test_an_error_comes_in_the_place_of_its_item() -> None:
    with ThreadPoolExecutor(4) as pool:
        results = in_order(pool, lambda each: 1 // each, [2, 1, 0, 1])
        assert [next(results), next(results)] == [0, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)
