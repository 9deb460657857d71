"""What a request costs, and a row: learnt from requests that ended."""

from collections.abc import Sequence


class Pace:
    """Seconds of a worker for each request and for each row of it, by least squares.

    Of few rows a request's own cost is most of what it takes, of many it is none: neither rows nor
    requests alone measure how far a history is whose early years have little.
    """

    def __init__(self) -> None:
        self._number = 0.0
        self._rows = self._seconds = self._squares = self._products = 0.0

    def learn(self, rows: float, seconds: float) -> None:
        """Remembers a request that ended: its rows, and the seconds that it took."""
        self._number += 1
        self._rows += rows
        self._seconds += seconds
        self._squares += rows * rows
        self._products += rows * seconds

    def learn_described(self, described: Sequence[float]) -> None:
        """Remembers what `describe` returned, of another run.

        Raises:
            ValueError, TypeError: it did not.
        """
        number, rows, seconds, squares, products = map(float, described)
        self._number += number
        self._rows += rows
        self._seconds += seconds
        self._squares += squares
        self._products += products

    def describe(self) -> list[float]:
        """Returns what was learnt: sums over requests, rows, seconds, rows², and rows × seconds."""
        sums = (self._number, self._rows, self._seconds, self._squares, self._products)
        return [round(each, 3) for each in sums]

    def cost(self, requests: float, rows: float) -> float:
        """Returns the seconds of a worker for some requests with some rows in all.

        Before anything is known it is the rows, and without any the requests: only shares count.
        """
        of_request, of_row = self._costs()
        return of_request * requests + of_row * rows

    def _costs(self) -> tuple[float, float]:
        if not self._seconds:
            return (0.0, 1.0) if self._rows or not self._number else (1.0, 0.0)
        if not self._rows:
            return self._seconds / self._number, 0.0
        spread = self._number * self._squares - self._rows**2
        if spread <= 1e-9 * self._number * self._squares:
            return 0.0, self._seconds / self._rows
        of_row = (self._number * self._products - self._rows * self._seconds) / spread
        of_request = (self._seconds - of_row * self._rows) / self._number
        if of_row <= 0:
            return self._seconds / self._number, 0.0
        return (of_request, of_row) if of_request > 0 else (0.0, self._seconds / self._rows)
