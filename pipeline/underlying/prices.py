"""Makes the files of the underlying's prices that are not made from the data files as they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.messages import PRINTED, Messages
from pipeline.text import count
from pipeline.underlying.proofs import Proofs
from pipeline.underlying.reading import NONE, Unproven, joined, prices_by_date
from pipeline.underlying.sources import NoPrices, Source, Wanted, day_of, sources_in, wanted_by
from transforms.orders import ORDERS
from transforms.orders.schema import COLUMNS, UNDERLYING
from transforms.output.entry import Entry
from transforms.output.folder import OutputFolder
from transforms.output.index import Window
from transforms.output.index_refresh import refreshed
from transforms.output.layout import Layout
from transforms.sinks.formats import make_sink
from transforms.storage import files

_HELD = 1 << 21
SCHEMA = pa.schema(
    [
        pa.field(name, COLUMNS[name][0], False, {"unit": COLUMNS[name][1]})
        for name in ("symbol", *UNDERLYING)
    ]
)
"""The schema of the files of prices."""


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
    layout: Layout, found: Iterable[Window], messages: Messages = PRINTED, at_once: int = _HELD
) -> Update:
    """Makes the files of prices that are not made from the data files as they are.

    Each is written whole or not at all; one whose data files are damaged or missing is not made.
    The caller keeps other runs out. Data files are read one at a time.

    Args:
        layout: of the output folder, for a run of its own.
        found: all entries of its manifest, proven; the index is theirs once the last is taken.
        messages: takes what is notable about the prices.
        at_once: prices that are held at once, but for a trade date's own, which may be more.

    Raises:
        NoPrices: there are data files, and none has the underlying's prices.
        OSError: the manifest can't be read, or a file not be written.
    """
    _check_disk(layout.folder)
    updating = _Updating(layout, messages, at_once)
    wanted = wanted_by(updating.all_sources(found))
    if not updating.done.problems:
        updating.run(wanted)
    return updating.done


class _Updating:
    def __init__(self, layout: Layout, messages: Messages, at_once: int) -> None:
        self._layout = layout
        self._folder = layout.folder
        self._messages = messages
        self._at_once = at_once
        self._proofs = Proofs(layout)
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

    def run(self, wanted: dict[str, Wanted]) -> None:
        stale = {n: each for n, each in wanted.items() if not self._proofs.holds(n, each)}
        self.done.unchanged = len(wanted) - len(stale)
        try:
            self._remove_all_but(wanted)
            while stale:
                stale = self._pass(stale)
        finally:
            self._proofs.keep()

    def _remove_all_but(self, wanted: dict[str, Wanted]) -> None:
        """Removes files of prices of which no data file has rows; those of others are named."""
        for name in self._proofs.others(wanted):
            path = f"{self._folder.prices}/{name}"
            if self._proofs.remove(name):
                self._messages.note(f"{path} was removed: no data file has its trade date")
            else:
                self.done.problems.append(f"{path} is of no data file, and was not made here")

    def _pass(self, stale: dict[str, Wanted]) -> dict[str, Wanted]:
        """Makes files of prices, and returns those that there was no room for."""
        left, later = dict(stale), dict[str, Wanted]()
        seen, held = dict[str, Wanted](), dict[str, pa.Table]()
        days = sorted(map(day_of, stale))
        for window in refreshed(self._folder, ()):
            for source in sources_in(window, days[0], days[-1]):
                of_it = left.keys() & source.prices.values()
                is_read = bool(of_it) and self._read(source, of_it, held)
                for name in of_it:
                    seen[name] = seen.get(name, Wanted()).with_file(source.entry)
                    if not is_read:
                        held.pop(name, None)
                        del left[name]
                    elif seen[name] == left[name]:
                        self._write(name, held.pop(name), source.entry, left.pop(name))
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

    def _read(self, source: Source, names: set[str], held: dict[str, pa.Table]) -> bool:
        """Adds a data file's prices to those held; returns whether it could be read."""
        path = self._folder.file(source.name)
        days = {day: name for day, name in source.prices.items() if name in names}
        try:
            if not source.is_there:
                raise Unproven("is missing, or not as it was written")  # noqa: TRY301 -- as below
            for name in names:
                held.setdefault(name, NONE)
            for day, prices in prices_by_date(path, source.entry.sha256):
                if day in days:
                    held[days[day]] = joined(held[days[day]], prices)
        except (Unproven, FileNotFoundError, pa.ArrowException) as error:
            dates = ", ".join(map(str, days))
            self.done.problems.append(f"{path} {error}: no prices of {dates} were made")
            return False
        return True

    def _write(self, name: str, prices: pa.Table, entry: Entry, wanted: Wanted) -> None:
        path = f"{self._folder.prices}/{name}"
        prices = prices.sort_by([(each, "ascending") for each in UNDERLYING])
        self._report_twofold(path, prices[UNDERLYING[0]].combine_chunks())
        symbol = pa.repeat(pa.scalar(entry.request["symbol"]), prices.num_rows)
        columns = [symbol, *(each.combine_chunks() for each in prices.columns)]
        sink = make_sink(entry.format, entry.compression, self._layout)
        handle = sink.create(path, SCHEMA)
        try:
            if prices.num_rows:
                sink.write_record(handle, pa.record_batch(columns, schema=SCHEMA))
            written = sink.close(handle)
            if files.exists(path) and files.sha256(path) == written.sha256:
                sink.discard(handle)
            else:
                sink.commit(handle)
        except BaseException:
            sink.discard(handle)
            raise
        self._proofs.add(name, wanted, written.sha256)
        self.done.written += 1

    def _report_twofold(self, path: str, times: pa.Array) -> None:
        """Reports times that have several prices, of which each is kept."""
        again = pc.equal(times[1:], times[:-1])
        if number := pc.sum(again).as_py() or 0:
            first = times[pc.index(again, True).as_py()].as_py()
            self._messages.warn(
                f"note: {path} keeps {count(number, 'further price')} of a time that has one "
                f"already, first at {first.isoformat(timespec='milliseconds')}"
            )


def _check_disk(folder: OutputFolder) -> None:
    """Raises OSError where a file could not be renamed into the folder of the prices."""
    if not files.is_local(folder.meta):
        return
    place = Path(folder.prices)
    there = place if place.exists() else place.absolute().parent
    if there.stat().st_dev != Path(folder.meta).stat().st_dev:
        raise OSError(
            f"{place} would be on another disk than {folder.meta}, and may not outlive a "
            "container: where a volume is mounted, --output is to be a folder in it"
        )
