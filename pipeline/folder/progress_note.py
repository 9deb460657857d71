"""How far the verification of a folder is, so that one that was stopped can go on."""

import contextlib
import time
from datetime import datetime, timezone

from transforms.output.entry import Entry
from transforms.output.folder import OutputFolder
from transforms.storage import documents, files

_SECONDS = 10.0
_MOST = 1000


class ProgressNote:
    """A note in the folder's `.meta`, which is there while a verification is not through.

    Where the folder can't be written to, there is none. It notes which files are done, in the
    order of the manifest, and which of them had problems: those are looked at again.

    Args:
        folder: the output folder.
        is_kept: whether it is read and written.

    Attributes:
        path: of the note.
        went_on_after: the last file that an earlier verification noted, or empty.
    """

    def __init__(self, folder: OutputFolder, *, is_kept: bool) -> None:
        self.path = f"{folder.meta}/verified.json"
        self._folder, self._is_kept = folder, is_kept
        self._began = datetime.now(timezone.utc)
        self.went_on_after, self._again = "", set[str]()
        if is_kept:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                noted = documents.read_json(self.path) or {}
                began = datetime.fromisoformat(noted["began"])
                self._again = set(noted["with_problems"])
                self.went_on_after, self._began = str(noted["through"]), began
        self._through, self._with_problems = self.went_on_after, list[str]()
        self._next = time.monotonic() + _SECONDS

    def __enter__(self) -> "ProgressNote":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._write()
        elif self._is_kept:
            with contextlib.suppress(OSError):
                files.remove(self.path)

    def is_new(self, name: str, entry: Entry) -> bool:
        """Returns whether a file is to be read: an earlier verification has not found it good."""
        if _place(name) > _place(self.went_on_after) or name in self._again:
            return True
        return not entry.time or datetime.fromisoformat(entry.time) >= self._began

    def passed(self, name: str, *, has_problems: bool) -> None:
        """Takes the name of a file that is done."""
        if has_problems:
            self._with_problems.append(name)
        self._through = max(self._through, name, key=_place)
        if time.monotonic() >= self._next:
            self._write()
            self._next = time.monotonic() + _SECONDS

    def _write(self) -> None:
        # With so many problems nobody waits for the rest: it begins anew.
        if self._is_kept and self._through and len(self._with_problems) <= _MOST:
            noted = {
                "began": self._began.isoformat(),
                "through": self._through,
                "with_problems": sorted({*self._with_problems, *self._again}),
            }
            with contextlib.suppress(OSError):
                documents.write_json(self.path, noted, self._folder.unfinished)


def _place(name: str) -> str:
    """Returns what a file's place in the manifest's order is compared by."""
    return f"{name}.json" if name else ""
