"""The elements of a request's stream: record batches, and how it begins again and ends."""

from dataclasses import dataclass
from typing import Union

import pyarrow as pa

from transforms.model.result import ExpirationResult, Failure


@dataclass(frozen=True)
class Restart:
    """Begins a request's stream again: the batches before it must be thrown away."""


@dataclass(frozen=True)
class Withdrawn:
    """Ends a request's stream: the Terminal failed, and another one is to fetch the request.

    Attributes:
        failure: why this one could not answer.
        terminal: its address, where the request is to be dealt again; None where it is back in a
            queue, so that it has no result here.
    """

    failure: Failure
    terminal: str | None = None


@dataclass(frozen=True)
class Trailer:
    """Ends a request's stream: its counts, or why it is incomplete.

    Attributes:
        batches: the number of batches that were emitted before it.
        rows: the number of rows in them.
        requests: HTTP requests sent for them, the repeated ones included.
        shared: answers among them that another request had been sent for.
        waited: seconds spent waiting before retries.
        seconds: from the first request to the end of the last answer.
        failure: None, or why the stream ends early: its rows must be discarded.
        interrupted: the run was asked to stop before the stream was complete.
        provisional: a trade date's session had not ended when it was fetched.
    """

    batches: int
    rows: int
    requests: int = 0
    shared: int = 0
    waited: float = 0.0
    seconds: float = 0.0
    failure: Failure | None = None
    interrupted: bool = False
    provisional: bool = False


Item = Union[pa.RecordBatch, Restart, Withdrawn, Trailer, ExpirationResult]  # noqa: UP007 -- Beam reads it
"""An element of a request's stream; a result alone is of a request that is done already."""
