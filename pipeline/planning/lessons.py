"""What earlier runs teach of a download: contracts of expirations, and what rows cost."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.history.pace import Pace
from pipeline.history.sizes import TICK, Sizes
from transforms.market import calendar
from transforms.model import EMPTY, WRITTEN, GreeksRequest
from transforms.orders import END_OF_DAY


@dataclass
class _Totals:
    """What the written expirations of some runs come to."""

    runs: int = 0
    rows: int = 0
    bytes: int = 0
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True)
class Lessons:
    """What earlier runs taught, whatever their number: no record is kept.

    Attributes:
        sizes: contracts of expirations.
        alike: of the runs that made files of the same columns, format and compression.
        all: of all runs that can be compared.
    """

    sizes: Sizes = field(default_factory=Sizes)
    alike: _Totals = field(default_factory=_Totals)
    all: _Totals = field(default_factory=_Totals)


def learn(
    config: DownloadConfig, records: Iterable[Mapping[str, Any]], *, data: str = "live"
) -> Lessons:
    """Returns what runs teach of a download; each record is let go before the next one.

    Args:
        config: the download.
        records: whole run records.
        data: `live` or `simulated`.
    """
    lessons = Lessons()
    for record in records:
        if (record.get("source") or {}).get("data") != data:
            continue
        if not _comparable(record.get("request") or {}, config):
            continue
        written = _learn_all(lessons.sizes, record)
        totals = [lessons.all]
        if _same_files(record["request"], config):
            totals.append(lessons.alike)
        for total in totals if written.rows else ():
            total.runs += 1
            total.rows += written.rows
            total.bytes += written.bytes
            total.pace.learn_described(written.pace.describe())
    return lessons


def _comparable(request: Mapping[str, Any], config: DownloadConfig) -> bool:
    """Whether the contracts of a run are those of a download, for the same symbols."""
    wanted = dict(config.parameters)
    recorded = request.get("parameters", {})
    return (
        (request.get("interval") == END_OF_DAY) == (config.interval == END_OF_DAY)
        and (request.get("interval") == TICK) == (config.interval == TICK)
        and recorded.get("strike_range") == wanted.get("strike_range")
    )


def _same_files(request: Mapping[str, Any], config: DownloadConfig) -> bool:
    names = ("greeks", "format", "compression")
    return all(request.get(name) == getattr(config, name) for name in names) and (
        tuple(request.get("derive", ())) == config.derive
    )


def _learn_all(sizes: Sizes, record: Mapping[str, Any]) -> _Totals:
    """Learns the sizes of a record's expirations, and returns what its files come to."""
    learnt = _Totals(1)
    with suppress(KeyError, TypeError, ValueError, AttributeError):
        sizes.learn_described(record["contracts"])
        learnt.pace.learn_described(record["pace"])
        learnt.rows, learnt.bytes = record["total_records"], record["total_data_size"]
        return learnt
    # One of before lists every expiration.
    for each in record.get("expirations", ()):
        if _learn(sizes, record, each):
            learnt.rows += each["rows"]
            learnt.bytes += each["bytes"]
            learnt.pace.learn(each["rows"], each["seconds"])
    return learnt


def _learn(sizes: Sizes, record: Mapping[str, Any], recorded: Mapping[str, Any]) -> bool:
    """Learns from one expiration of a record; returns whether it could."""
    if recorded.get("status") not in (WRITTEN, EMPTY):
        return False
    try:
        request = _request(record["request"], recorded)
    except (KeyError, TypeError, ValueError):
        return False  # of another version, or not ours: it teaches nothing
    if request is None:
        return False
    sizes.learn_rows(request, recorded["rows"])
    return bool(recorded["rows"])


def _request(asked: Mapping[str, Any], recorded: Mapping[str, Any]) -> GreeksRequest | None:
    """Returns the request of an expiration in a record, with the exchange's usual holidays."""
    first, last = (date.fromisoformat(recorded[f"{name}_trade_date"]) for name in ("first", "last"))
    days = tuple(calendar.trading_days(first, last))
    if not days:
        return None
    return GreeksRequest(
        recorded["symbol"],
        date.fromisoformat(recorded["expiration"]),
        days,
        asked["interval"],
        asked["greeks"],
        tuple(sorted(asked["parameters"].items())),
    )
