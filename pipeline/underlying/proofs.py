"""What proves that a file of prices is made from the data files as they are now.

`<output>.meta/underlying.json` has for each file of prices the hash of the data files that it was
made from (`sources.digests_of`), and the size and the mark that it had then. A file is believed if
all three are as they are now; it is made anew else. So a document that is lost, damaged or of
before a crash costs time, and never a wrong file.
"""

from collections.abc import Collection, Iterator
from typing import Any

from transforms.output.layout import Layout
from transforms.storage import documents, files

_UNKEPT = 32
"""Files of prices that a crash makes anew, at most, where there are few."""


class Proofs:
    """The proofs of an output folder's files of prices.

    Args:
        layout: of the output folder, for a run of its own.

    Raises:
        OSError: from every method: the folder can't be read or written.
    """

    def __init__(self, layout: Layout) -> None:
        self._folder = layout.folder.prices
        self._document = layout.folder.proofs_of_prices
        self._temporary = layout.temporary
        self._known = self._read()
        self._there = {name: proof for name, *proof in self._listed(self._folder)}
        self._made: dict[str, tuple[bytes, str]] = {}

    def holds(self, name: str, digest: bytes) -> bool:
        """Returns whether a file is there as it was made from data files of that hash."""
        return self._known.get(name) == [digest.hex(), *self._there.get(name, ())]

    def others(self, names: Collection[str]) -> list[str]:
        """Returns the names of the files that are there and not among `names`."""
        return sorted(self._there.keys() - names)

    def remove(self, name: str) -> bool:
        """Removes a file, if it was made here, and returns whether it was."""
        if name not in self._known:
            return False
        files.remove(f"{self._folder}/{name}")
        del self._known[name]
        return True

    def add(self, name: str, digest: bytes, sha256: str) -> None:
        """Takes a file that was made from data files of a hash, with the SHA-256 of its bytes."""
        self._made[name] = (digest, sha256)
        if len(self._made) >= max(_UNKEPT, len(self._known) // 4):
            self.keep()

    def keep(self) -> None:
        """Notes the files that were made, and are still as they were written."""
        for name, (digest, sha256) in self._made.items():
            path = f"{self._folder}/{name}"
            # The mark first: if another file came since, its bytes are other ones.
            near = {found: proof for found, *proof in self._listed(path.rpartition("/")[0])}
            size, mark = near.get(name, (0, ""))
            if mark and files.sha256(path) == sha256:
                self._known[name] = [digest.hex(), size, mark]
        if self._made:
            documents.write_json(self._document, self._known, self._temporary)
        self._made = {}

    def _read(self) -> dict[str, Any]:
        try:
            document = documents.read_json(self._document)
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    def _listed(self, folder: str) -> Iterator[tuple[str, int, str]]:
        start = len(self._folder) + 1
        return ((each.path[start:], each.size, each.mark) for each in files.listed(folder))
