"""Makes the files of the underlying's prices that are not made from the data files as they are."""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from pipeline.folder.counted import CountedIterator
from pipeline.messages import PRINTED, Messages
from pipeline.text import count
from pipeline.underlying.proofs import Proofs
from pipeline.underlying.reading import NONE, Unproven, joined, prices_by_date
from pipeline.underlying.sources import (
    NoPrices,
    Source,
    day_of,
    digests_of,
    sources_in,
    with_source,
)
from pipeline.underlying.writing import check_disk, repeated_times, write
from transforms.orders import ORDERS
from transforms.orders.schema import UNDERLYING
from transforms.output.index import Window
from transforms.output.index_refresh import refreshed
from transforms.output.layout import Layout
from transforms.sinks.formats import make_sink

_HELD = 1 << 21


@dataclass
class Update:
    """What an update did.

    Attributes:
        path: of the folder of the prices.
        written: files of prices that were made.
        unchanged: those that were proven to be as they would be made.
        problems: why others could not be made, a sentence each.
    """

    path: str
    written: int = 0
    unchanged: int = 0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        made = f"{count(self.written, 'file')} made, {self.unchanged:,} unchanged"
        return f"underlying prices: {self.path}: {made}"


def update(
    layout: Layout,
    found: Iterable[Window],
    messages: Messages = PRINTED,
    track: Callable[[CountedIterator[str]], Iterable[str]] = iter,
    at_once: int = _HELD,
) -> Update:
    """Makes the files of prices that are not made from the data files as they are.

    Each is written whole or not at all; one whose data files are damaged or missing is not made.
    The caller keeps other runs out. Data files are read one at a time.

    Args:
        layout: of the output folder, for a run of its own.
        found: all entries of its manifest, proven; the index is theirs once the last is taken.
        messages: takes what is notable about the prices.
        track: yields the names that it is given, and shows how many are done.
        at_once: prices that are held at once, but for a trade date's own, which may be more.

    Raises:
        NoPrices: there are data files, and none has the underlying's prices.
        OSError: the manifest can't be read, or a file not be written.
    """
    check_disk(layout.folder)
    updating = _Updating(layout, messages, track, at_once)
    digests = digests_of(updating.all_sources(found))
    if not updating.done.problems:
        updating.run(digests)
    return updating.done


@dataclass
class _Updating:
    _layout: Layout
    _messages: Messages
    _track: Callable[[CountedIterator[str]], Iterable[str]]
    _at_once: int

    def __post_init__(self) -> None:
        self._folder = self._layout.folder
        self._proofs = Proofs(self._layout)
        self.done = Update(self._folder.prices)

    def all_sources(self, found: Iterable[Window]) -> Iterator[Source]:
        """Yields every source; where an entry is broken, nobody knows whose rows are missing."""
        orders: set[str] = set()
        some = False
        for window in found:
            self.done.problems += [f"{self._folder.file(n)}: {why}" for n, why in window.broken]
            orders.update(window.rows["greeks"].to_pylist())
            for source in sources_in(window):
                some = True
                yield source
        without = sorted(each for each in orders if not ORDERS[each].has_underlying)
        if without and not some:
            raise NoPrices(
                f"{self._folder.path} has files of {', '.join(without)}, whose rows lack the "
                "underlying's price"
            )

    def run(self, digests: dict[str, bytes]) -> None:
        stale = {n: digest for n, digest in digests.items() if not self._proofs.holds(n, digest)}
        self.done.unchanged = len(digests) - len(stale)
        try:
            self._remove_all_but(digests)
            for _ in self._track(CountedIterator(self._make(stale), len(stale))):
                pass
        finally:
            self._proofs.keep()

    def _make(self, stale: dict[str, bytes]) -> Iterator[str]:
        while stale:
            stale = yield from self._pass(stale)

    def _remove_all_but(self, names: Collection[str]) -> None:
        """Removes files of prices of which no data file has rows; those of others are named."""
        for name in self._proofs.others(names):
            path = f"{self._folder.prices}/{name}"
            if self._proofs.remove(name):
                self._messages.note(f"{path} was removed: no data file has its trade date")
            else:
                self.done.problems.append(f"{path} is of no data file, and was not made here")

    def _pass(self, stale: dict[str, bytes]) -> Generator[str, None, dict[str, bytes]]:
        """Makes files of prices; yields each, made or not, and returns what had no room."""
        left, later = dict(stale), dict[str, bytes]()
        seen, held = dict[str, bytes](), dict[str, pa.Table]()
        days = sorted(map(day_of, stale))
        for window in refreshed(self._folder, ()):
            for source in sources_in(window, days[0], days[-1]):
                names = [name for name in source.prices if name in left]
                is_read = bool(names) and self._read(source, names, held)
                for name in names:
                    seen[name] = with_source(seen.get(name), source)
                    if is_read and seen[name] != left[name]:
                        continue  # others are to come
                    prices, digest = held.pop(name, NONE), left.pop(name)
                    if is_read:
                        self._write(name, prices, source, digest)
                    yield name
                while (
                    len(held) > 1 and sum(each.num_rows for each in held.values()) > self._at_once
                ):
                    name = max(held, key=day_of)
                    later[name] = left.pop(name)
                    del held[name]
        for name in left:
            self.done.problems.append(
                f"{self._folder.prices}/{name} was not made: its data files changed meanwhile"
            )
        return later

    def _read(self, source: Source, names: list[str], held: dict[str, pa.Table]) -> bool:
        """Adds a data file's prices to those held; returns whether it could be read."""
        path = self._folder.file(source.name)
        by_day = {day_of(name): name for name in names}
        try:
            if not source.is_there:
                raise Unproven("is missing, or not as it was written")  # noqa: TRY301 -- as below
            for name in names:
                held.setdefault(name, NONE)
            for day, prices in prices_by_date(path, source.sha256):
                if name := by_day.get(str(day), ""):
                    held[name] = joined(held[name], prices)
        except (Unproven, FileNotFoundError, pa.ArrowException) as error:
            self.done.problems.append(f"{path} {error}: no prices of {', '.join(by_day)} were made")
            return False
        return True

    def _write(self, name: str, prices: pa.Table, source: Source, digest: bytes) -> None:
        path = f"{self._folder.prices}/{name}"
        prices = prices.sort_by([(each, "ascending") for each in UNDERLYING])
        if note := repeated_times(prices):
            self._messages.warn(f"note: {path} keeps {note}")
        sink = make_sink(*source.form, self._layout)
        self._proofs.add(name, digest, write(sink, path, source.symbol, prices))
        self.done.written += 1
