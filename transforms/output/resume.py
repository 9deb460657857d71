"""What a run need not fetch, since the manifest proves that an earlier one has."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from transforms.orders.schema import VERSION
from transforms.output.entry import COMMITTED, EMPTY, Entry

STAT, HASH, OFF = "stat", "hash", "off"
PROOFS = (STAT, HASH, OFF)
"""How closely a file is looked at before it is believed: its size, its SHA-256, or not at all."""


@dataclass(frozen=True)
class Resume:
    """When to believe the manifest.

    Attributes:
        proof: one of `PROOFS`; with `off` everything is fetched again.
        retry_empty_after: days after which an expiration that had no data is requested again, and
            for which a file with missing trade dates is.
    """

    proof: str = STAT
    retry_empty_after: float = 7.0

    def is_old(self, asked: datetime, now: datetime) -> bool:
        """Returns whether what had no data then is to be requested again."""
        return now - asked >= timedelta(days=self.retry_empty_after)


def reason_to_skip(
    entry: Entry | None, path: str, form: tuple[str, str], resume: Resume, now: datetime
) -> str | None:
    """Returns why a request need not be sent, or None if it must be.

    Args:
        entry: of the request's file, made by this very request from the same source, or None.
        path: the request's file.
        form: the format and compression that are wanted; another one is no proof.
        resume: when to believe.
        now: the time, with its zone.

    Raises:
        OSError: the file is there and can't be read.
    """
    if entry is None or (reason := reason_by_entry(entry, form, resume, now)) is None:
        return None
    return reason if entry.state == EMPTY or _is_whole(entry, path, resume.proof) else None


def reason_by_entry(
    entry: Entry, form: tuple[str, str], resume: Resume, now: datetime
) -> str | None:
    """Returns why a request need not be sent if its file is as its entry says; see there."""
    if entry.provisional or resume.proof == OFF:
        return None
    if entry.state == EMPTY:
        asked = datetime.fromisoformat(entry.time)
        if resume.is_old(asked, now):
            return None
        return f"no data when it was asked for on {asked:%Y-%m-%d}"
    made = (entry.format, entry.compression, entry.schema_version)
    if entry.state != COMMITTED or made != (*form, VERSION):
        return None
    if entry.missing_dates:
        since = datetime.fromisoformat(entry.missing_since or entry.time)
        if not resume.is_old(since, now):
            return None
        return f"already there, with trade dates without data since {since:%Y-%m-%d}"
    return "already there"


def _is_whole(entry: Entry, path: str, proof: str) -> bool:
    # It imports Beam, which a usage error of --resume does not wait for.
    from transforms.storage import files

    return entry.is_there(path) and (proof != HASH or files.sha256(path) == entry.sha256)
