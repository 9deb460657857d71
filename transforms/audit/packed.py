"""Objects put away as a few hundred bytes each: thousands of them would take hundreds of MB."""

import pickle
import zlib
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

Kept = TypeVar("Kept")


def pack(kept: object) -> bytes:
    """Returns an object of this process as bytes."""
    return zlib.compress(pickle.dumps(kept), 1)


class Packed(Generic[Kept]):
    """A list whose items are packed, and unpacked one at a time whenever it is gone through."""

    def __init__(self) -> None:
        self._items: list[bytes] = []

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Kept]:
        for item in self._items:
            yield unpack(item)

    def append(self, kept: Kept) -> None:
        """Adds an item."""
        self._items.append(pack(kept))


def unpack(packed: bytes) -> Any:
    """Returns an object that `pack` made bytes of."""
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 -- of this process, from memory
