"""Where the JSON files of a run history lie: a folder of this machine, or any that Beam knows."""

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Protocol

from pipeline.history.model import Record


class Folder(Protocol):
    """Small text files by name; a name may have one folder in it.

    Attributes:
        path: of the folder.
        shared: whether other machines may write to it, so that names must differ by themselves.

    Raises:
        OSError: from every method, if the folder can't be read or written.
    """

    path: str
    shared: bool

    def names(self, inside: str = "") -> list[str]:
        """Returns the names of the files in the folder, or in one inside it, in any order."""

    def read(self, name: str) -> str:
        """Returns a file's text.

        Raises:
            FileNotFoundError: there is none.
        """

    def keep(self, name: str, text: str) -> None:
        """Writes a file that is not there yet: whole, or not at all.

        Raises:
            FileExistsError: it is there; it stays as it is.
        """

    def keep_lines(self, name: str, paths: Iterable[str]) -> None:
        """Writes a file of the lines of some files of this machine, as `keep` does."""

    def lines(self, name: str) -> Iterator[bytes]:
        """Yields a file's lines; none if there is no such file."""

    def remove(self, name: str) -> None:
        """Removes a file, if it is there."""


def open_folder(path: str) -> Folder:
    """Returns the folder of a path or a URL."""
    if "://" in path:
        return BeamFolder(path)
    return LocalFolder(path)


class LocalFolder:
    """A folder of this machine."""

    shared = False

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/") or "/"
        self._path = Path(path)

    def names(self, inside: str = "") -> list[str]:
        """Returns the names of the files."""
        try:
            with os.scandir(self._path / inside) as entries:
                # No look at each file: there may be many thousands.
                return [entry.name for entry in entries]
        except FileNotFoundError:
            return []

    def read(self, name: str) -> str:
        """Returns a file's text."""
        return (self._path / name).read_text("utf-8")

    def keep(self, name: str, text: str) -> None:
        """Writes a new file."""
        with self._begun(name) as file:
            file.write(text.encode())

    def keep_lines(self, name: str, paths: Iterable[str]) -> None:
        """Writes a new file."""
        with self._begun(name) as file:
            for path in paths:
                with Path(path).open("rb") as lines:
                    shutil.copyfileobj(lines, file)

    def lines(self, name: str) -> Iterator[bytes]:
        """Yields a file's lines."""
        with suppress(FileNotFoundError), (self._path / name).open("rb") as file:
            yield from file

    @contextmanager
    def _begun(self, name: str) -> Iterator[IO[bytes]]:
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path / "running" / f"{uuid.uuid4().hex}.unfinished"
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("wb") as file:
                yield file
            # A link fails where a rename would replace.
            os.link(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)

    def remove(self, name: str) -> None:
        """Removes a file."""
        (self._path / name).unlink(missing_ok=True)


class BeamFolder:
    """A folder of any of Beam's file systems. Beam is imported with the first one."""

    shared = True

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/")

    def names(self, inside: str = "") -> list[str]:
        """Returns the names of the files."""
        from transforms.storage import files

        folder = f"{self.path}/{inside}" if inside else self.path
        names = (path[len(folder) + 1 :] for path in files.below(folder))
        return [name for name in names if "/" not in name]

    def read(self, name: str) -> str:
        """Returns a file's text."""
        from transforms.storage import files

        path = f"{self.path}/{name}"
        if not files.exists(path):
            raise FileNotFoundError(path)
        with files.open_file(path) as file:
            return bytes(file.read()).decode()

    def keep(self, name: str, text: str) -> None:
        """Writes a new file. Names are unique by themselves: not every file system has a lock."""
        from transforms.storage import documents, files

        path = f"{self.path}/{name}"
        if files.exists(path):
            raise FileExistsError(path)
        documents.write_bytes(path, text.encode(), "application/json", f"{self.path}/running")

    def keep_lines(self, name: str, paths: Iterable[str]) -> None:
        """Writes a new file."""
        from transforms.metrics.results_file import gather

        gather(paths, f"{self.path}/{name}")

    def lines(self, name: str) -> Iterator[bytes]:
        """Yields a file's lines."""
        from transforms.storage import files

        path = f"{self.path}/{name}"
        if files.exists(path):
            with files.open_file(path) as file:
                yield from file

    def remove(self, name: str) -> None:
        """Removes a file."""
        from transforms.storage import files

        files.remove(f"{self.path}/{name}")


def results_in(lines: Iterable[bytes]) -> Iterator[Record]:
    """Yields the results in the lines of a file; one that was cut off is passed over."""
    for line in lines:
        with suppress(ValueError):
            yield json.loads(line)


def files_of_results(folder: str) -> list[str]:
    """Returns the paths of the files in a folder of this machine that have results of a run.

    Raises:
        OSError: it can't be read.
    """
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        return sorted(each.path for each in entries if each.name.endswith(".jsonl"))
    return []
