"""Who made which file: one small JSON document for each, in `<output>.meta/files/`.

A document has one of three states. `committing` is written before the rename and says which request
is about to own the path; `committed` is written after it and says what is in the file. A crash in
between leaves a path whose owner is known and whose content is not trusted: it costs one fetch.
`empty` remembers that the Terminal had nothing, and when it was asked: there is no file.

Each document is replaced whole, so any number of workers and readers may have the folder at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from transforms.model import GreeksRequest
from transforms.output.layout import Layout
from transforms.storage import files

COMMITTING, COMMITTED, EMPTY = "committing", "committed", "empty"
_SUFFIX = ".json"


@dataclass(frozen=True)
class Entry:
    """What is known of one file.

    Attributes:
        state: `committing`, `committed` or `empty`.
        request: `GreeksRequest.describe()` of the request that made it.
        source: `live` (ThetaData) or `simulated` (the stand-in Terminal).
        run_id: the run that wrote it.
        provisional: a trade date's session had not ended: the next run fetches it again.
        rows: in the file.
        bytes: of the file.
        sha256: of the file's bytes.
        quality: `Quality.describe()` of its rows, or None if they were not checked.
        format: of the file, a key of `sinks.FORMATS`.
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
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    quality: dict[str, Any] | None = None
    format: str = ""
    compression: str = ""
    schema_version: int = 0
    versions: dict[str, str] | None = None
    time: str = ""

    def committed(self) -> "Entry":
        """Returns the entry of the same file once it is in place."""
        return replace(self, state=COMMITTED)

    def is_of(self, request: GreeksRequest, source: str) -> bool:
        """Returns whether `request` made it, from `source`."""
        return (self.request, self.source) == (request.describe(), source)


class Manifest:
    """Reads and writes the entries of one output folder.

    Args:
        layout: of the folder.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def read(self, request: GreeksRequest) -> Entry | None:
        """Returns the entry of the request's file, or None.

        Raises:
            ValueError: the entry is not one.
            OSError: it can't be read.
        """
        return read_entry(self._path(request))

    def read_marked(self, request: GreeksRequest) -> tuple[Entry | None, str | None]:
        """Returns what `read` does, and the mark by which `write` replaces just that entry."""
        return _read_marked(self._path(request))

    def entries(self) -> Iterator[tuple[str, Entry | ValueError]]:
        """Yields each entry, in order, after its file's path below the output folder.

        Where an entry is broken, the reason stands in its place.

        Raises:
            OSError: the folder can't be read.
        """
        for path in files.below(self.layout.entries):
            name = path[len(self.layout.entries) + 1 :].removesuffix(_SUFFIX)
            try:
                entry = read_entry(path)
            except ValueError as error:
                yield name, error
            else:
                if entry is not None:
                    yield name, entry

    def write(self, request: GreeksRequest, entry: Entry, over: str | None = None) -> str | None:
        """Writes the entry of the request's file, whole or not at all, and returns its mark.

        Args:
            request: the request.
            entry: of its file.
            over: the mark of the entry that may be replaced; None for any. See `files.mark`.

        Raises:
            OSError: it can't be written, or another run has replaced what was to be replaced.
        """
        stamped = {**vars(entry), "time": datetime.now(timezone.utc).isoformat()}
        return files.write_json(self._path(request), stamped, self.layout.temporary, over)

    def _path(self, request: GreeksRequest) -> str:
        return f"{self.layout.entries}/{self.layout.name(request)}{_SUFFIX}"


def read_entry(path: str) -> Entry | None:
    """Returns the entry in a file, or None if there is no file.

    Raises:
        ValueError: it is not an entry.
        OSError: it can't be read.
    """
    return _read_marked(path)[0]


def _read_marked(path: str) -> tuple[Entry | None, str | None]:
    names = {field.name for field in fields(Entry)}
    try:
        document, mark = files.read_marked(path)
        if document is None:
            return None, mark
        return Entry(**{name: document[name] for name in names & set(document)}), mark
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{path} is not an entry of the manifest ({error}): move it away, and the file that it "
            "is about as well, and run again"
        ) from None


def conflict(path: str, entry: Entry | None, request: GreeksRequest, source: str) -> str | None:
    """Returns why the file at `path` must not be written by `request`, or None if it may.

    Args:
        path: the request's file.
        entry: that the manifest has of it.
        request: that would write it.
        source: where its rows would come from.
    """
    if entry is not None and entry.state != EMPTY and entry.is_of(request, source):
        return None
    if not files.exists(path):
        return None
    if entry is None or entry.state == EMPTY:
        return (
            f"{path} is there, and nothing says which request made it. Move it away, or choose "
            "another --output (if the folder was moved: its manifest, the folder of that name with "
            ".meta behind it, belongs beside it)"
        )
    made, wanted = (
        {**each, "source": of}
        for each, of in ((entry.request, entry.source), (request.describe(), source))
    )
    return (
        f"{path} was made by another request and is left as it is: it has "
        + _differing(made, wanted)
        + "; this request has "
        + _differing(wanted, made)
    )


def _differing(one: dict[str, str], other: dict[str, str]) -> str:
    """What `one` has that `other` has not; every trade date only where the first and last agree."""
    names = [n for n in dict.fromkeys([*one, *other]) if one.get(n) != other.get(n)]
    if "first_trade_date" in names or "last_trade_date" in names:
        names.remove("trade_dates")
    return ", ".join(f"{name} {one.get(name, '(none)')}" for name in names)
