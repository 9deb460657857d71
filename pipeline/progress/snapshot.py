"""How far a run is at one moment."""

from dataclasses import dataclass


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
        in_flight: each expiration under way, and its rows so far, the longest first.
        retries: requests that were sent again.
        failed: expirations that failed.
        state: of a remote runner, or empty.
        thing: what `done` and `total` count.
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
    in_flight: tuple[tuple[str, int], ...]
    retries: int
    failed: int
    state: str = ""
    thing: str = "expiration"
