"""How far a run is at one moment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flight:
    """An expiration under way.

    Attributes:
        name: of it.
        rows: that have come so far.
        silent: for how many seconds no byte has come, once that is worth a word; else 0.
    """

    name: str
    rows: int
    silent: float = 0.0


@dataclass(frozen=True)
class Snapshot:
    """How far a run is at one moment.

    Attributes:
        seconds: since it began.
        done: expirations that ended.
        total: expirations in all.
        rows: in committed files and under way.
        bytes: of them, on the disk.
        rows_now: rows per second over the last five seconds.
        rows_average: rows per second since it began.
        bytes_now: bytes per second over the last five seconds.
        remaining: seconds that the rest will take, or None while unknown.
        in_flight: what is under way, the longest first.
        retries: requests that were sent again.
        failed: expirations that failed.
        state: of a remote runner, or empty.
        thing: what `done` and `total` count.
        fetching: whether they are fetched from a Terminal.
        timeout: seconds without a byte after which an answer counts as broken; 0 if unknown.
    """

    seconds: float
    done: int
    total: int
    rows: int
    bytes: int
    rows_now: float
    rows_average: float
    bytes_now: float
    remaining: float | None
    in_flight: tuple[Flight, ...] = ()
    retries: int = 0
    failed: int = 0
    state: str = ""
    thing: str = "expiration"
    fetching: bool = True
    timeout: float = 0.0
