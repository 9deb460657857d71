"""What a run need not fetch of a whole output folder, in 36 bytes a file."""

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

import numpy as np

from transforms.model import GreeksRequest
from transforms.output.data_files import DataFiles
from transforms.output.entry import EMPTY, Entry
from transforms.output.folder import OutputFolder
from transforms.output.index import entry_in, identity_of, windows
from transforms.output.resume import HASH, Resume, reason_by_entry, reason_to_skip

_LOOKED_AT = (
    *("there", "state", "provisional", "format", "compression", "schema_version"),
    *("missing_dates", "missing_since", "findings"),
)
"""What the reason to skip a file depends on, besides the time of some entries."""


class Known(NamedTuple):
    """Why a request need not be sent.

    Attributes:
        reason: a phrase.
        missing_dates: the trade dates that its file should have and has not, as
            `trade_dates.spans`.
        is_empty: it has no data, and so no file.
    """

    reason: str
    missing_dates: str
    is_empty: bool


class Stock:
    """Which requests of an output folder are done, by its manifest and by listings.

    Of the others it knows whether there is anything: an entry or a file.

    Args:
        folder: the output folder.
        form: the format and compression that are wanted.
        resume: when to believe the manifest. With `HASH` no file is known to be whole.
        now: the time, with its zone.
        is_refused: whether this run would fail a file, by its rows that each rule found wrong, and
            by all of its rows.
        keep: brings the manifest's index up to date.

    Attributes:
        is_refused: as given.
        broken: how many entries of the manifest are.

    Raises:
        OSError: the folder can't be read, or the index not be written.
    """

    def __init__(
        self,
        folder: OutputFolder,
        form: tuple[str, str],
        resume: Resume,
        now: datetime,
        is_refused: Callable[[Mapping[str, int], int], bool],
        *,
        keep: bool,
    ) -> None:
        self._form, self._resume, self._now = form, resume, now
        self.is_refused = is_refused
        self._known: list[Known | None] = []
        self._data = DataFiles.of(folder)
        self._keys, self._identities, self._reasons = array("q"), array("q"), array("i")
        self.broken = 0
        numbers: dict[Known | None, int] = {}
        by_columns: dict[tuple[Any, ...], int] = {}
        for window in windows(folder, self._data, keep=keep):
            self.broken += len(window.broken)
            for name, _ in window.broken:
                self._add(name, bytes(16), numbers.setdefault(None, len(numbers)))
            columns = [window.rows[each].to_pylist() for each in ("name", "identity", "time")]
            looked_at = zip(*(window.rows[each].to_pylist() for each in _LOOKED_AT), strict=True)
            for place, (name, identity, time, looked) in enumerate(
                zip(*columns, looked_at, strict=True)
            ):
                asked = self._asked(time) if looked[1] == EMPTY else time if looked[6] else ""
                timed = (*looked, asked)
                number = by_columns.get(timed)
                if number is None or looked[-1] not in ("", "{}"):
                    (row,) = window.rows.slice(place, 1).to_pylist()
                    number = numbers.setdefault(self._of(row), len(numbers))
                    by_columns[timed] = number
                self._add(name, identity, number)
        self._known = list(numbers)
        order = np.argsort(np.frombuffer(self._keys, "i8"), kind="stable")
        for name in ("_keys", "_identities", "_reasons"):
            unsorted = getattr(self, name)
            kind = unsorted.typecode
            setattr(self, name, array(kind, np.frombuffer(unsorted, kind)[order].tobytes()))

    def known(self, request: GreeksRequest, name: str, source: str) -> Known | None:
        """Returns why a request need not be sent, or None if its entry and file have to be read.

        Args:
            request: the request.
            name: of its file.
            source: where its rows would come from.
        """
        place = self._place(name)
        if place is None:
            return None
        identity = identity_of(request.describe(), source)
        return (
            self._known[self._reasons[place]] if self._identities[place] == _int(identity) else None
        )

    def reason_to_skip(self, entry: Entry | None, path: str) -> str | None:
        """Returns why a request need not be sent, by its own entry and its file; see `resume`."""
        return reason_to_skip(entry, path, self._form, self._resume, self._now)

    def has(self, name: str) -> bool:
        """Returns whether there is an entry or a file of a name."""
        return self._place(name) is not None or bool(self._data.has([name])[0])

    def _place(self, name: str) -> int | None:
        key = hash(name)
        place = bisect_left(self._keys, key)
        return place if place < len(self._keys) and self._keys[place] == key else None

    def _asked(self, time: str) -> tuple[date, bool]:
        """Returns what the reason to skip an empty request takes of the time of its entry."""
        asked = datetime.fromisoformat(time)
        return asked.date(), self._resume.is_old(asked, self._now)

    def _add(self, name: str, identity: bytes, number: int) -> None:
        self._keys.append(hash(name))
        self._identities.append(_int(identity))
        self._reasons.append(number)

    def _of(self, row: dict[str, Any]) -> Known | None:
        """Returns why the request of an entry need not be sent, or None if that is not known."""
        entry = entry_in(row)
        is_empty = entry.state == EMPTY
        if not is_empty and (self._resume.proof == HASH or not row["there"]):
            return None
        reason = reason_by_entry(entry, self._form, self._resume, self._now)
        if reason is None or self.is_refused(json.loads(row["findings"] or "{}"), entry.rows):
            return None
        return Known(reason, row["missing_dates"], is_empty)


def _int(identity: bytes) -> int:
    return int.from_bytes(identity[:8], "little", signed=True)
