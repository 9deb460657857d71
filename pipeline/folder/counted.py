"""Files that are looked at one after the other, and how many there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

Each = TypeVar("Each")


@dataclass(frozen=True)
class CountedIterator(Generic[Each]):
    """Yields each, and knows how many they are."""

    each: Iterator[Each]
    number: int

    def __len__(self) -> int:
        return self.number

    def __iter__(self) -> Iterator[Each]:
        return self.each
