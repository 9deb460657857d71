"""What a request costs, and a row: learnt from requests that ended."""

from collections.abc import Sequence


class Pace:
    """Seconds of a worker for each request and for each row of it, by least squares.

    Of few rows a request's own cost is most of what it takes, of many it is none: neither rows nor
    requests alone measure how far a history is whose early years have little.
    """

    def __init__(self) -> None:
        self._sums: Sequence[float] = (0.0,) * 5

    def learn(self, rows: float, seconds: float) -> None:
        """Remembers a request that ended: its rows, and the seconds that it took."""
        self.learn_described((1, rows, seconds, rows * rows, rows * seconds))

    def learn_described(self, described: Sequence[float]) -> None:
        """Remembers what `describe` returned, of another run.

        Raises:
            ValueError, TypeError: it did not.
        """
        self._sums = tuple(a + float(b) for a, b in zip(self._sums, described, strict=True))

    def describe(self) -> list[float]:
        """Returns what was learnt: sums over requests, rows, seconds, rows², and rows × seconds."""
        return [round(each, 3) for each in self._sums]

    def cost(self, requests: float, rows: float) -> float:
        """Returns the seconds of a worker for some requests with some rows in all.

        Before anything is known it is the rows, and without any the requests: only shares count.
        """
        of_request, of_row = self._costs()
        return of_request * requests + of_row * rows

    def _costs(self) -> tuple[float, float]:
        number, rows, seconds, squares, products = self._sums
        if not seconds:
            return (0.0, 1.0) if rows or not number else (1.0, 0.0)
        if not rows:
            return seconds / number, 0.0
        spread = number * squares - rows**2
        if spread <= 1e-9 * number * squares:
            return 0.0, seconds / rows
        of_row = (number * products - rows * seconds) / spread
        of_request = (seconds - of_row * rows) / number
        if of_row <= 0:
            return seconds / number, 0.0
        return (of_request, of_row) if of_request > 0 else (0.0, seconds / rows)
