"""Who made which file: one small JSON document for each, in `<output>.meta/files/`.

A document has one of three states, and is written before its file's rename. `committed` holds what
is in the file: where there was none, the file proves it by being there, with its size, and a crash
in between leaves no file. Where a file is to be replaced, or where no lock keeps other runs out,
that would prove nothing: there, `committing` names the request that is about to own the path, and
`committed` follows the rename. A crash in between leaves a path whose owner is known and whose
content is not trusted. Either costs one fetch. `empty` remembers that the Terminal had nothing, and
when it was asked: there is no file.

Each document is replaced whole, so any number of workers and readers may have the folder at once.
"""

from datetime import datetime, timezone

from transforms.model import EMPTY as NO_DATA
from transforms.model import WRITTEN, ExpirationResult, GreeksRequest
from transforms.output.entry import COMMITTED, EMPTY, Entry, broken
from transforms.output.folder import OutputFolder
from transforms.output.layout import Layout
from transforms.storage import documents, files


class Manifest:
    """Reads and writes the entries of one output folder, on any file system that Beam knows.

    Args:
        folder: the output folder.
    """

    def __init__(self, folder: OutputFolder) -> None:
        self.folder = folder

    def entry_of(self, path: str) -> Entry | None:
        """Returns the entry of a data file, or None if it has none.

        Args:
            path: of the file, below the output folder; it need not be there.

        Raises:
            ValueError: the entry is broken, or the file not below the folder.
            OSError: the entry can't be read.
        """
        return self.marked_entry_of(path)[0]

    def marked_entry_of(self, path: str) -> tuple[Entry | None, str | None]:
        """Returns the entry of a data file, and the mark by which `write` replaces just that entry.

        Raises:
            ValueError, OSError: as from `entry_of`.
        """
        return read_marked(self._entry(path))

    def write(self, path: str, entry: Entry, over: str | None = None) -> str | None:
        """Writes the entry of a data file, whole or not at all, and returns its mark.

        Args:
            path: of the file.
            entry: of the file.
            over: the mark of the entry that may be replaced; None for any. See `files.mark`.

        Raises:
            OSError: it can't be written, or another run has replaced what was to be replaced.
        """
        stamped = {**vars(entry), "time": datetime.now(timezone.utc).isoformat()}
        temporary = self.folder.temporary(entry.run_id)
        return documents.write_json(self._entry(path), stamped, temporary, over)

    def _entry(self, path: str) -> str:
        return self.folder.entry(self.folder.name(path))


def read_marked(path: str) -> tuple[Entry | None, str | None]:
    """Returns the entry in a document, or None if there is no such file, and the file's mark.

    Raises:
        ValueError: the entry is broken.
        OSError: it can't be read.
    """
    try:
        document, mark = documents.read_marked(path)
    except (ValueError, RecursionError) as error:
        raise broken(path, error) from None
    return None if document is None else Entry.of(document, path), mark


def result_of(request: GreeksRequest, layout: Layout) -> ExpirationResult | None:
    """Returns the result that this very run has recorded for a request, or None.

    A bundle that is run again, and a run that is cut short, find in it what was done.

    Args:
        request: the request.
        layout: of the run.

    Raises:
        OSError: the manifest can't be read.
        ValueError: an entry of it is broken.
    """
    path = layout.path(request)
    entry = Manifest(layout.folder).entry_of(path)
    if entry is None or entry.run_id != layout.run_id or entry.request != request.describe():
        return None
    if entry.state == EMPTY:
        return ExpirationResult(request, NO_DATA, provisional=entry.provisional)
    if entry.state != COMMITTED or not entry.is_there(path):
        return None
    return ExpirationResult(
        request,
        WRITTEN,
        rows=entry.rows,
        bytes=entry.bytes,
        provisional=entry.provisional,
        dates_with_rows=entry.dates_with_rows,
        path=path,
        quality=entry.quality,
    )


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
