"""Who made which file: one small JSON document for each, in `<output>.meta/files/`.

A document has two states. `committing` is written before the rename and says which request is
about to own the path; `committed` is written after it and says what is in the file. A crash in
between leaves a path whose owner is known and whose content is not trusted.
"""

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from transforms import files
from transforms.layout import Layout
from transforms.model import GreeksRequest

COMMITTING, COMMITTED = "committing", "committed"


@dataclass(frozen=True)
class Entry:
    """What is known of one file.

    Attributes:
        state: `committing` or `committed`.
        request: `GreeksRequest.describe()` of the request that made it.
        source: `live` (ThetaData) or `simulated` (the stand-in Terminal).
        run_id: the run that wrote it.
        provisional: a trade date's session had not ended: the next run fetches it again.
        rows: in the file.
        bytes: of the file.
        sha256: of the file's bytes.
        quality: `Quality.describe()` of its rows, or None if they were not checked.
        versions: of this project and of pyarrow, when it was written.
        time: when the entry was written, ISO 8601 in UTC.
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
    versions: dict[str, str] | None = None
    time: str = ""

    def committed(self) -> "Entry":
        """Returns the entry of the same file once it is in place."""
        return replace(self, state=COMMITTED)


class Manifest:
    """Reads and writes the entries of one output folder."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def read(self, request: GreeksRequest) -> Entry | None:
        """Returns the entry of the request's file, or None.

        Raises:
            ValueError: the entry is not one.
            OSError: it can't be read.
        """
        path = self._path(request)
        document: Any = files.read_json(path)
        if document is None:
            return None
        names = {field.name for field in fields(Entry)}
        try:
            return Entry(**{name: document[name] for name in names & set(document)})
        except TypeError:
            raise ValueError(f"{path} is not an entry of the manifest: {document!r:.200}") from None

    def write(self, request: GreeksRequest, entry: Entry) -> None:
        """Writes the entry of the request's file, whole or not at all.

        Raises:
            OSError: it can't be written.
        """
        stamped = {**asdict(entry), "time": datetime.now(timezone.utc).isoformat()}
        files.write_json(self._path(request), stamped, self._layout.temporary)

    def conflict(self, request: GreeksRequest, source: str) -> str | None:
        """Returns why the request's file must not be written, or None if it may.

        A file may be replaced only by the request that made it, from the same source.
        """
        path = self._layout.path(request)
        entry = self.read(request)
        if entry is None:
            if not files.exists(path):
                return None
            return (
                f"{path} is there, and nothing says which request made it. Move it away, or choose "
                "another --output"
            )
        made, wanted = {**entry.request, "source": entry.source}, request.describe()
        wanted["source"] = source
        if made == wanted or not files.exists(path):
            return None
        names = dict.fromkeys([*wanted, *made])
        differing = [name for name in names if made.get(name) != wanted.get(name)]
        return (
            f"{path} was made by another request and is left as it is: it has "
            + ", ".join(f"{name} {made.get(name, '(none)')}" for name in differing)
            + "; this request has "
            + ", ".join(f"{name} {wanted.get(name, '(none)')}" for name in differing)
        )

    def _path(self, request: GreeksRequest) -> str:
        return f"{self._layout.meta}/files/{self._layout.name(request)}.json"
