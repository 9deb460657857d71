"""What the manifest holds of one file, and how a tool that has the file finds it."""

import json
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from transforms.model import GreeksRequest, served_dates
from transforms.model.trade_dates import missing, spans, within
from transforms.output.entry_fields import STATES, check_fields
from transforms.output.folder import OutputFolder

COMMITTING, COMMITTED, EMPTY = STATES


@dataclass(frozen=True)
class Entry:
    """The record of one file.

    Attributes:
        state: `committing`, `committed` or `empty`.
        request: `GreeksRequest.describe()` of the request that made it.
        source: `live` (ThetaData) or `simulated` (the stand-in Terminal).
        run_id: the run that wrote it.
        provisional: a trade date's session had not ended: the next run fetches it again.
        dates_with_rows: the requested trade dates that have rows in the file, as
            `trade_dates.spans`; empty if that was not noted.
        missing_since: when some of the trade dates that it should have were first found without
            rows, ISO 8601 in UTC; empty if none is missing.
        rows: in the file.
        bytes: of the file.
        sha256: of the file's bytes, in hexadecimal.
        quality: `Quality.describe()` of its rows, or None if they were not checked.
        format: of the file, a key of `COMPRESSIONS`.
        compression: of the file.
        schema_version: `schema.VERSION` of its rows; 0 before there was one.
        versions: of this project and of pyarrow, when it was written.
        time: when the entry was written, which is right after the commit, ISO 8601 in UTC.
    """

    state: str
    request: dict[str, str]
    source: str
    run_id: str
    provisional: bool = False
    dates_with_rows: str = ""
    missing_since: str = ""
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    quality: dict[str, Any] | None = None
    format: str = ""
    compression: str = ""
    schema_version: int = 0
    versions: dict[str, str] | None = None
    time: str = ""

    @classmethod
    def of(cls, document: Any, path: str) -> "Entry":
        """Returns the entry that a JSON document holds.

        Args:
            document: what was read.
            path: where it was read.

        Raises:
            ValueError: the document is not an entry; the field that shows it.
        """
        try:
            check_fields(document)
            names = {field.name for field in fields(cls)}
            entry = cls(**{name: document[name] for name in names & set(document)})
            entry.missing_dates  # noqa: B018 -- raises if the dates can't be read
        except ValueError as error:
            raise broken(path, error) from None
        return entry

    @property
    def served_dates(self) -> tuple[date, ...]:
        """The requested trade dates on which there can be rows."""
        days = self.request["trade_dates"].split(",")
        return served_dates(
            self.request["symbol"],
            date.fromisoformat(self.request["expiration"]),
            tuple(map(date.fromisoformat, days)),
        )

    @property
    def missing_dates(self) -> str:
        """The trade dates between or after those that have no rows, as `trade_dates.spans`."""
        return missing(self.dates_with_rows, self.served_dates, provisional=self.provisional)

    def is_there(self, path: str) -> bool:
        """Returns whether there is a file at a path, of the entry's size.

        Raises:
            OSError: the file system can't be read.
        """
        # It imports Beam, which a usage error does not wait for.
        from transforms.storage import files

        return files.exists(path) and files.size(path) == self.bytes

    def lacks(self, before: "Entry") -> str:
        """Returns the trade dates that have rows by an earlier entry and not by this one."""
        days = self.served_dates
        have = set(within(self.dates_with_rows, days))
        return spans(set(within(before.dates_with_rows, days)) - have, days)

    def committed(self) -> "Entry":
        """Returns the entry of the same file once it is in place."""
        return replace(self, state=COMMITTED)

    def is_of(self, request: GreeksRequest, source: str) -> bool:
        """Returns whether `request` made it, from `source`."""
        return (self.request, self.source) == (request.describe(), source)


def broken(path: str, error: Exception) -> ValueError:
    """Returns the error for a document at `path` that is not an entry."""
    return ValueError(
        f"{path} is not an entry of the manifest ({error}): move it away, and the file that it "
        "is about as well, and run again"
    )


def entry_of_file(path: Path) -> Entry | None:
    """Returns the entry of a data file on this machine, or None if there is none.

    The file may be in any output folder: the manifest beside each folder above it is looked at,
    the nearest first. Beam is not needed; `Manifest` reads the folders of every file system.

    Args:
        path: of the file; one of another tool, or moved out of its folder, has no entry.

    Raises:
        ValueError: its entry is broken.
    """
    path = path.absolute()
    for parent in path.parents[:-1]:  # the root has no place beside it
        folder = OutputFolder(str(parent))
        entry = folder.entry(folder.name(str(path)))
        try:
            content = Path(entry).read_bytes()
        except OSError:
            continue
        return read_entry(content, entry)
    return None


def read_entry(content: bytes, path: str) -> Entry:
    """Returns the entry that a file at `path` holds.

    Raises:
        ValueError: it holds none.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise broken(path, error) from None
    return Entry.of(document, path)
