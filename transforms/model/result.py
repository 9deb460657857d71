"""What became of a request: its result, and the failure that it may hold."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from transforms.model import trade_dates as dates
from transforms.model.request import GreeksRequest
from transforms.text.foreign import MOST, on_a_line
from transforms.text.secrets import hide


@dataclass(frozen=True)
class Failure:
    """Why an expiration has no file, as text, so that it crosses processes.

    Attributes:
        error_type: the name of the exception's class.
        message: what happened and what to do next.
    """

    error_type: str
    message: str

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Returns the failure that an error is, in at most `foreign.MOST` characters."""
        return cls(type(error).__name__, on_a_line(hide(str(error) or repr(error)), 2 * MOST))


WRITTEN, EMPTY, SKIPPED, FAILED, INTERRUPTED = (
    "written",
    "empty",
    "skipped",
    "failed",
    "interrupted",
)
STATUSES = (WRITTEN, EMPTY, SKIPPED, FAILED, INTERRUPTED)
WITHDRAWN = "withdrawn"
"""Between two Terminals: the first one failed, and `DealAgain` gives the request to another."""


@dataclass(frozen=True)
class ExpirationResult:
    """The result of one request.

    Attributes:
        request: the request.
        status: one of `STATUSES`, or `WITHDRAWN` where `SlotWork` allows it.
        rows: rows in the committed file, also in one that was skipped, as an earlier run wrote it.
        bytes: size of that file on disk.
        seconds: from the first request to the Terminal to the commit.
        requests: HTTP requests sent to the Terminal.
        waited: seconds spent waiting before retries.
        provisional: a trade date's session had not ended: the next run fetches it again.
        dates_with_rows: the trade dates that have rows in that file, as `trade_dates.spans`; empty
            if there is none, or if an earlier run wrote it without noting them.
        path: the committed file, or None.
        failure: why it failed, or None.
        quality: `Quality.describe()` of its rows, or None if they were not checked.
        reason: why it was skipped, or None.
        rows_by_second: rows handed to the sink in each second of wall-clock time, as
            (Unix second, rows) pairs; the run's peak throughput comes from them.
        started: when the first request was sent, in Unix seconds; None if none was.
        withdrawn_from: the address of the Terminal that failed, if it is withdrawn.
    """

    request: GreeksRequest
    status: str
    rows: int = 0
    bytes: int = 0
    seconds: float = 0.0
    requests: int = 0
    waited: float = 0.0
    provisional: bool = False
    dates_with_rows: str = ""
    path: str | None = None
    failure: Failure | None = None
    quality: dict[str, Any] | None = None
    reason: str | None = None
    rows_by_second: tuple[tuple[int, int], ...] = ()
    started: float | None = None
    withdrawn_from: str | None = None

    @property
    def missing_dates(self) -> str:
        """The trade dates between or after those that have no rows, as `trade_dates.spans`."""
        served = self.request.served_dates
        return dates.missing(self.dates_with_rows, served, provisional=self.provisional)

    def describe(self) -> dict[str, Any]:
        """Returns the result as the run summary lists it: the same object at each call."""
        return self._described

    @cached_property
    def line(self) -> str:
        """The result as the run summary lists it, as a line of JSON."""
        return json.dumps(self._described)

    @cached_property
    def _described(self) -> dict[str, Any]:
        return {
            **self.request.key_fields(),
            "status": self.status,
            "rows": self.rows,
            "bytes": self.bytes,
            "started": None if self.started is None else _text(self.started),
            "seconds": round(self.seconds, 3),
            "requests": self.requests,
            "waited": round(self.waited, 3),
            "provisional": self.provisional,
            "dates_with_rows": self.dates_with_rows,
            "missing_dates": self.missing_dates,
            "path": self.path,
            "quality": self.quality,
            **({"reason": self.reason} if self.reason else {}),
            **({"error": asdict(self.failure)} if self.failure else {}),
        }


def _text(instant: float) -> str:
    return datetime.fromtimestamp(instant, timezone.utc).isoformat(timespec="milliseconds")
