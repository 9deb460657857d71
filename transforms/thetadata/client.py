"""A client of the Theta Terminal: Greeks as Arrow record batches."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from datetime import date

import pyarrow as pa

from transforms.market import clock
from transforms.model import GreeksRequest, checked_symbol
from transforms.orders import DEFAULT, order_of
from transforms.thetadata.body import UNPROVEN, Body
from transforms.thetadata.csv_reader import BLOCK_BYTES, CsvReader
from transforms.thetadata.dialect import Part, Query, parts_of
from transforms.thetadata.errors import (
    AnswerChanged,
    BrokenResponse,
    NoData,
    StatusError,
    Stopped,
    ThetaError,
)
from transforms.thetadata.first_dates import FirstDates, first_after
from transforms.thetadata.listings import Listings
from transforms.thetadata.paging import PagedBody
from transforms.thetadata.retry import RetryPolicy
from transforms.thetadata.shared_answers import SharedAnswers
from transforms.thetadata.split import split
from transforms.thetadata.v3 import V3
from transforms.workers.stop import NEVER, Stop

DEFAULT_URL = "http://127.0.0.1:25503"
BATCH_SIZE = 1000
TOO_LARGE = 570
_WHOLE = 1 << 20  # rows of a batch: more than any block of an answer has


class ThetaClient(Listings):
    """Talks to one Theta Terminal, of either generation, which both give the same rows.

    ```python
    with ThetaClient() as client:
        expirations = client.expirations("SPXW")
        table = client.table(client.request("SPXW", date(2024, 3, 15), date(2024, 3, 14)))
    ```

    Args:
        url: the Terminal's address.
        api: the generation that answers there, `v3` or `v2`; see `find_terminal`.
        timeout: seconds to wait for the first byte, and between two bytes, of an answer.
        policy: how often, and how long, an answer is asked for again.
        stop: once it is set, `stream` raises `Stopped`, also where it waits for the Terminal.
        waiting: called before each wait with its reason and its seconds.
        heard: called whenever bytes of an answer have come.
        block_bytes: of an answer, read and parsed at a time, at least 1.
        first_dates: what several clients know of expirations together; None for a client's own.
        shared_answers: of the trade dates that several clients' requests share; None for none.

    Attributes:
        waited: seconds spent waiting to ask again.
        shared: answers that were read from shared trade dates.

    Not safe for use by several threads at once: make one for each.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api: str = "v3",
        timeout: float = 300.0,
        policy: RetryPolicy = RetryPolicy(),  # noqa: B008 -- frozen
        stop: Stop = NEVER,
        waiting: Callable[[ThetaError, float], None] = lambda _error, _seconds: None,
        heard: Callable[[], None] = lambda: None,
        block_bytes: int = BLOCK_BYTES,
        first_dates: FirstDates | None = None,
        shared_answers: SharedAnswers | None = None,
    ) -> None:
        super().__init__(
            url,
            api=api,
            timeout=timeout,
            policy=policy,
            stop=stop,
            waiting=waiting,
            heard=heard,
        )
        self._block_bytes = block_bytes
        self._first_dates = FirstDates() if first_dates is None else first_dates
        self._shared_answers = shared_answers
        self.shared = 0

    def __enter__(self) -> "ThetaClient":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def check_served(self, request: GreeksRequest) -> None:
        """Returns if this generation has what a request asks for.

        Raises:
            NotServed: it has not.
        """
        self._dialect.history(request, Part(request.first_trade_date, request.first_trade_date))

    def request(
        self,
        symbol: str,
        expiration: date,
        first_trade_date: date,
        last_trade_date: date | None = None,
        *,
        interval: str = "5m",
        greeks: str = DEFAULT,
    ) -> GreeksRequest:
        """Returns the request for one expiration over the trading days of a range of dates.

        Raises:
            ValueError: the market is closed on all of them, or a field is out of its range.
            ThetaError: the Terminal did not give its calendar.
        """
        last = min(last_trade_date or first_trade_date, expiration)
        days = self.trading_days(first_trade_date, last)
        interval = order_of(greeks).interval(interval)
        return GreeksRequest(checked_symbol(symbol), expiration, days, interval, greeks)

    def stream(
        self, request: GreeksRequest, batch_size: int = BATCH_SIZE
    ) -> Iterator[pa.RecordBatch]:
        """Yields the request's rows as record batches of 1 to `batch_size` rows.

        Rows come by trade date (end of day: by calendar month), then as the Terminal serves them.
        Each is one HTTP request; its answer is parsed while it arrives and never held whole. One
        that is too large for the Terminal (570) is asked for in smaller ones. What passes by
        itself (429, 474, 500, 571, a timeout, a connection or a body that breaks off, a row that
        does not parse) is asked for again: what was yielded before is proven against the second
        answer, and no row is lost or doubled. So is an answer that has neither a Content-Length
        nor chunks, until two of them are equal: it may have ended early. A trade date for which
        the Terminal has nothing yields nothing; after two of them, it is not asked for those before
        the expiration's first quote (v3). A trade date that is shared is requested for every
        expiration at once, or waited for if another client does that. The schema is
        `request.order.schema`.

        Raises:
            AnswerChanged: a second answer has other rows than those that were yielded: throw
                them away and start over.
            ThetaError: an answer is refused, or the attempts are used up. The batches that were
                yielded before it are incomplete: throw them away.
            OSError: shared rows could not be kept on this machine's disk.
            ValueError: `batch_size` is below 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
        for part in parts_of(request):
            if self._first_dates.is_before(self._http.base, request, part.last):
                continue
            rows = None
            if self._shared_answers is not None:
                rows = self._shared_answers.rows(request, part, batch_size, self, self._stop)
            self.shared += rows is not None
            yield from self._part(request, part, batch_size) if rows is None else rows

    def table(self, request: GreeksRequest) -> pa.Table:
        """Returns the same rows as `stream`, in the same order, as one table.

        Raises:
            ThetaError: as `stream`; nothing is returned then.
        """
        attempts = self._attempts()
        while True:
            try:
                batches = list(self.stream(request, _WHOLE))
            except AnswerChanged as error:
                self._wait(attempts, error)
            else:
                return pa.Table.from_batches(batches, request.order.schema)

    def _part(
        self, request: GreeksRequest, part: Part, batch_size: int
    ) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._answer(request, part, batch_size)
        except StatusError as error:
            if error.status != TOO_LARGE or not isinstance(self._dialect, V3):
                raise
            parts = split(request, part, self._dialect, self._rows)
            if not parts:
                raise
            for smaller in parts:
                yield from self._part(request, smaller, batch_size)

    def blocks(self, request: GreeksRequest, part: Part) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one HTTP request for a part, as `stream`, in batches of any size."""
        return self._answer(request, part, _WHOLE)

    def _answer(
        self, request: GreeksRequest, part: Part, batch_size: int
    ) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one answer, asked for as often as it takes."""
        query = self._dialect.history(request, part)
        reader = CsvReader(request, part, self._dialect)
        attempts = self._attempts()
        unproven: int | None = None
        while True:
            passed = reader.passed
            try:
                with self._open(query) as body:
                    yield from reader.batches(body.read, batch_size, self._block_bytes)
                if body.proven or unproven == reader.passed:
                    return
                unproven = reader.passed
                failure: ThetaError = BrokenResponse(f"{reader.what}: {UNPROVEN}")
            except (AnswerChanged, Stopped):
                raise
            except StatusError as error:
                if reader.passed and not error.retryable:
                    raise AnswerChanged(f"asked again after it broke off: {error}") from error
                if isinstance(error, NoData):
                    self._look_for_first_date(request, part)
                    return
                failure = error
            except ThetaError as error:
                failure = error
            if reader.passed > passed:
                attempts.progressed()
            self._wait(attempts, failure)

    def _look_for_first_date(self, request: GreeksRequest, empty: Part) -> None:
        """Finds out which other trade dates need not be asked for, since there is no data yet.

        Where that is not known in the end, each is asked for as ever.
        """
        is_whole = isinstance(self._dialect, V3) and empty == Part(empty.first, empty.last)
        if not is_whole or not self._first_dates.should_ask(self._http.base, request):
            return
        try:
            found = first_after(request, empty.first, self.dates(request))
            if found is None or found[0] > clock.now().date():
                return
            first, before = found
            with suppress(NoData), self._open(self._dialect.history(request, Part(before, before))):
                return  # there is data that the list does not have
        except Stopped:
            raise
        except ThetaError:
            return  # no row depends on it, and a Terminal that is gone fails the next request
        self._first_dates.learn(self._http.base, request, first)

    def _open(self, query: Query) -> AbstractContextManager[Body | PagedBody]:
        pages = self._dialect.pages
        return closing(PagedBody(self._http, *query)) if pages else self._http.stream(*query)
