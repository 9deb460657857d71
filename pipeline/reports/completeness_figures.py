"""Figures of the rows: where they are and where not."""

from typing import Any

import altair as alt
import numpy as np

from pipeline.reports.axes import SEAM, instant, legend_of, time_axis
from pipeline.reports.coverage import BUCKET, BUCKETS
from pipeline.reports.figure import Figure, base
from pipeline.reports.market_day import MarketDay
from transforms.arrays import Floats, Ints
from transforms.market.calendar import OPEN_MS

_STRIKES = 60
_LEVELS = ["none", "up to half", "up to 95 %", "over 95 %", "all"]


def completeness_figures(day: MarketDay) -> list[Figure]:
    """Returns the maps of the rows that are there, and of those with a volatility."""
    titles = {
        "completeness": "Completeness: rows that are there, by strike and time",
        "solved": "Implied volatility: where it was solved, out of the money",
    }
    if not day.coverage:
        absent = "One row a contract and trade date: there is no time to draw against."
        return [Figure(name, title, absent=absent) for name, title in titles.items()]
    strikes, totals = _totals(day)
    there, outside, solved, expected = totals.sum(axis=(0, 2)).tolist()
    edges = _edges(strikes)
    place = np.clip(np.searchsorted(edges, strikes, side="right") - 1, 0, len(edges) - 2)
    binned = np.zeros((len(edges) - 1, 4, BUCKETS))
    np.add.at(binned, place, totals)
    present, quoted, has_volatility, wanted = binned.swapaxes(0, 1)
    captions = {
        "completeness": "All expirations together. 100 % is one row for every contract of the day "
        f"at every step; {there:,} of {expected:,} rows are there "
        f"({_share(there, expected)}).",
        "solved": f"Calls above and puts below the underlying: {solved:,} of "
        f"{outside:,} rows ({_share(solved, outside)}). At 09:30 and without "
        "a bid, none is usual.",
    }
    return [
        Figure(
            name,
            titles[name],
            captions[name],
            _map(kind, rows),
            rows,
            height=320,
        )
        for name, kind, rows in (
            ("completeness", "rows there", _cells(day, edges, present, wanted)),
            ("solved", "rows solved", _cells(day, edges, has_volatility, quoted)),
        )
    ]


def missing_rows(day: MarketDay) -> tuple[int, int]:
    """Returns the rows that are there, and those that would be, were the day complete."""
    _, totals = _totals(day)
    return int(totals[:, 0].sum()), int(totals[:, 3].sum())


def _totals(day: MarketDay) -> tuple[Floats, Ints]:
    """The strikes, and the rows of each by bucket: as in `Coverage.counts`, and those expected."""
    coverage = list(day.coverage.values())
    steps = _steps(day)
    strikes = np.array(sorted({strike for grid in coverage for strike, _ in grid.contracts}))
    totals = np.zeros((len(strikes), 4, BUCKETS), np.int64)
    for grid in coverage:
        place = np.searchsorted(strikes, [strike for strike, _ in grid.contracts])
        there, *others = grid.counts[: len(place)].swapaxes(0, 1)
        # A row that is there twice does not make up for one that is not.
        rows = np.minimum(there, steps), *others, np.broadcast_to(steps, there.shape)
        np.add.at(totals, place, np.stack(rows, axis=1))
    return strikes, totals


def _steps(day: MarketDay) -> Ints:
    """How many rows a contract has in each bucket, if it lacks none."""
    there = (grid.counts[: len(grid.contracts), 0] for grid in day.coverage.values())
    steps = np.max([np.median(each, axis=0) for each in there], axis=0).astype(np.int64)
    # Between the first and the last, a bucket that most contracts lack is a hole like any other.
    inner = np.arange(BUCKETS)[_grid(steps)][1:-1]
    if len(inner):
        steps[inner] = np.maximum(steps[inner], np.bincount(steps[inner]).argmax())
    return np.asarray(steps)


def _grid(steps: Ints) -> slice:
    """The buckets that have rows: every one, or every third if rows are 15 minutes apart."""
    seen = np.flatnonzero(steps)
    if len(seen) < 2:
        return slice(0, 0)
    return slice(int(seen[0]), int(seen[-1]) + 1, int(np.bincount(np.diff(seen)).argmax()))


def _edges(strikes: Floats) -> Floats:
    """Edges of at most `_STRIKES` bins with about as many strikes each."""
    inner = (strikes[1:] + strikes[:-1]) / 2
    if len(inner) >= _STRIKES:
        inner = inner[np.linspace(0, len(inner) - 1, _STRIKES - 1).round().astype(int)]
    return np.unique(np.concatenate([[strikes[0] - 0.5], inner, [strikes[-1] + 0.5]]))


def _cells(day: MarketDay, edges: Floats, above: Floats, below: Floats) -> list[dict[str, Any]]:
    width = BUCKET * ((_grid(_steps(day)).step or 1) + SEAM)
    rows = []
    for strike, bucket in zip(*np.nonzero(below), strict=True):
        start = OPEN_MS + int(bucket) * BUCKET
        low, high = edges[strike : strike + 2].tolist()
        share = above[strike, bucket] / below[strike, bucket]
        rows.append(
            {
                "t": instant(day, start),
                "t2": instant(day, start + width),
                "a": round(low, 3),
                "b": round(high, 3),
                "v": round(min(float(share), 1.0), 4),
                "c": _level(share),
                "n": int(above[strike, bucket]),
                "of": int(below[strike, bucket]),
            }
        )
    return rows


def _level(share: float) -> str:
    """Where a share is: a single row that is missing must show."""
    if share >= 1:
        return _LEVELS[-1]
    return _LEVELS[int(np.searchsorted([0, 0.5, 0.95], share))]


def _map(kind: str, rows: list[dict[str, Any]]) -> Any:
    """Returns the chart of the cells: a row of it for each bin of strikes."""
    edges = sorted({row["a"] for row in rows})
    seen = [level for level in _LEVELS if any(row["c"] == level for row in rows)]

    return (
        base()
        .mark_rect()
        .encode(
            x=time_axis(),
            x2="t2:T",
            y=alt.Y(
                "a:O",
                title="strikes from, USD",
                sort="descending",
                # Of as many strikes each: by dollars, those at the money would be no pixel high.
                axis=alt.Axis(values=edges[:: max(len(edges) // 9, 1)], format=",.0f"),
            ),
            color=alt.Color(
                "c:N",
                title=kind,
                scale=alt.Scale(domain=_LEVELS, range="diverging"),
                legend=legend_of(rows, "c", symbolType="square", values=seen),
            ),
            tooltip=[
                alt.Tooltip("a:Q", title="strikes from"),
                alt.Tooltip("b:Q", title="to"),
                alt.Tooltip("n:Q", title=kind),
                alt.Tooltip("of:Q", title="of"),
                alt.Tooltip("v:Q", title="share", format=".1%"),
            ],
        )
    )


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.2%}" if whole else "none"
