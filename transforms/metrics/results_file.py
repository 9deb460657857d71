"""The results of a run on disk, as they come: a line of JSON for each, `ExpirationResult.describe`.

A run of 100,000 files has 100 MB of them: they are read a line at a time, and never kept.
"""

import contextlib
import json
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from transforms.storage import documents, files

MIME_TYPE = "application/x-ndjson"


class ResultsFile:
    """One worker's results of one bundle, in a file of their own.

    Each line is in a file of this machine when `append` returns, so that a process that is killed
    leaves what it had. Where the folder is in a store of objects, `close` sends them there.

    Args:
        folder: of the file, made with it.
    """

    def __init__(self, folder: str) -> None:
        name = f"{uuid.uuid4().hex}.jsonl"
        self._path = f"{folder}/{name}"
        self._here = self._path if files.is_local(folder) else f"{tempfile.gettempdir()}/{name}"
        self._torn = self._begun = False

    def append(self, line: str) -> bool:
        """Adds a result; returns whether it is in the file, which a full disk may prevent."""
        text = ("\n" * self._torn + line + "\n").encode()
        try:
            if not self._begun:
                Path(self._here).parent.mkdir(parents=True, exist_ok=True)
            # Not kept open: whoever makes the disk read-only is not kept from it.
            with open(self._here, "ab", buffering=0) as file:  # noqa: PTH123 -- for each of many
                written = file.write(text)
        except OSError:
            return False
        self._begun = True
        # The rest of a line that was cut off is no result to any reader.
        self._torn = written < len(text)
        return not self._torn

    def close(self) -> str | None:
        """Completes the file, and returns its path; None if it has no line.

        Raises:
            OSError: the store did not take it.
        """
        if not self._begun:
            return None
        if self._here != self._path:
            gather([self._here], self._path)
            files.remove(self._here)
        return self._path


def read_results(paths: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yields the results in some files, in the order in which they came.

    A line that a killed process left unfinished is passed over.

    Raises:
        OSError: a file can't be read.
    """
    for path in paths:
        with files.open_file(path) as file:
            for line in file:
                with contextlib.suppress(ValueError):
                    yield json.loads(line)


def gather(paths: Iterable[str], target: str) -> None:
    """Puts the lines of some files, of any file system, into one, which nobody sees before the end.

    Raises:
        OSError: one can't be read, or the other one not written.
    """
    documents.write_joined(target, paths, MIME_TYPE)
