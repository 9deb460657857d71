"""What `greeks check` prints."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipeline.table import WRAP, Column, Table
from pipeline.text import count
from transforms.audit.audit import Audit, Checked
from transforms.quality.findings import MOST_EXAMPLES, Example, named
from transforms.quality.limits import MISSING_DATES, RULES, TOGETHER

_SHARES = {
    "IV 0": "unsolved_iv",
    "no price": "no_price",
    "bid 0": "zero_bids",
    "all zero": "zero_greeks",
    "locked": "locked_quotes",
    "crossed": "crossed_quotes",
    "stale": "stale_underlying",
}


_ROOM = 24  # for findings
_FEW = 3  # times of day
_MOST_CELLS = 12


def text(
    checked: Iterable[Checked],
    check: Audit,
    unreadable: Sequence[str] = (),
    width: int | None = None,
) -> Iterator[str]:
    """Yields the report, line by line.

    Args:
        checked: the result of each expiration; gone through twice.
        check: the result of them together.
        unreadable: an error for each file that can't be read.
        width: of the screen; None for any.
    """
    yield from _statistics(checked, width, len(check.orders) > 1)
    yield from _recomputed(check, width)
    yield from _rates(check.rates)
    yield from _parity(check.parity)
    for note in check.notes:
        yield f"note: {note}"
    yield ""
    yield from _findings(checked)
    for error in unreadable:
        yield f"error: {error}"


def json_text(together: dict[str, Any], checked: Iterable[Checked]) -> Iterator[str]:
    """Yields the report as one JSON document, an expiration at a time.

    Args:
        together: its members besides `expirations`.
        checked: the result of each expiration.
    """
    yield json.dumps(together, indent=2).removesuffix("\n}") + ',\n  "expirations": ['
    comma = ""
    for one in checked:
        yield comma + "\n" + textwrap.indent(json.dumps(one.describe(), indent=2), "    ")
        comma = ","
    yield "\n  ]\n}\n"


def _statistics(checked: Iterable[Checked], width: int | None, by_order: bool) -> Iterator[str]:
    order = [Column("data", 15, leaves=10)] if by_order else []
    columns = (
        *order,
        Column("symbol", 8),
        Column("expiration", 12),
        Column("rows", 10, right=True),
        Column("contracts", 11, right=True, leaves=8),
        Column("dates", 7, right=True, leaves=9),
        *(Column(head, 9, right=True, leaves=n) for n, head in enumerate(_SHARES, 1)),
    )
    table = Table(columns, "findings", _ROOM, width=width, overflow=WRAP)
    yield table.heading()
    for one in checked:
        quality = one.quality
        shares = (
            f"{quality.counts[name] / quality.rows:.1%}" if name in quality.counts else "-"
            for name in _SHARES.values()
        )
        found = ", ".join(f"{finding.rule} {finding.count:,}" for finding in one.findings)
        rows, contracts = f"{quality.rows:,}", f"{quality.contracts:,}"
        of = [one.order or "-"] if by_order else []
        cells = (*of, one.symbol, one.expiration, rows, contracts, quality.trade_dates, *shares)
        yield from table.lines(cells, found or "none")


def _recomputed(check: Audit, width: int | None) -> Iterator[str]:
    lines = check.errors.total()
    if not lines:
        return
    yield ""
    yield "recomputed from each row's own inputs: how far the file's numbers are off"
    columns = (
        Column("", 16),
        Column("rows", 10, right=True),
        Column("median", 12, right=True, leaves=1),
        Column("99 %", 12, right=True),
        Column("largest", 12, right=True),
        Column("wrong", 8, right=True),
    )
    table = Table(columns, width=width)
    yield table.heading()
    for line in lines:
        sizes = (f"{line[size]:.2g}" for size in ("median", "p99", "max"))
        name, rows, wrong = f"  {line['name']}", f"{line['rows']:,}", f"{line['wrong']:,}"
        yield from table.lines((name, rows, *sizes, wrong))
    yield from _cells(check.errors.describe(), lines, width)


def _cells(
    lines: Sequence[dict[str, Any]], totals: Sequence[dict[str, Any]], width: int | None
) -> Iterator[str]:
    """Yields a line for each cell that stands out.

    It does if rows of it are wrong, or are off ten times as much as those of all cells.
    """
    usual = {line["name"]: line["p99"] for line in totals}
    odd = [line for line in lines if line["wrong"] or line["p99"] > 10 * usual[line["name"]] > 0]
    odd.sort(key=lambda line: (-line["wrong"], -line["p99"] / (usual[line["name"]] or 1)))
    yield ""
    if not odd:
        yield f"no cell of moneyness and days stands out of {len(lines)}; --json has them all"
        return
    shown = odd[:_MOST_CELLS]
    yield f"where they are wrong, or off most: {len(shown)} of {len(lines)} cells; --json has all"
    columns = (
        Column("", 16),
        Column("moneyness", 20),
        Column("days", 14),
        Column("rows", 10, right=True, leaves=2),
        Column("99 %", 12, right=True, leaves=3),
        Column("largest", 12, right=True, leaves=1),
        Column("wrong", 8, right=True),
    )
    table = Table(columns, width=width)
    yield table.heading()
    for line in shown:
        sizes = (f"{line[size]:.2g}" for size in ("p99", "max"))
        where = (f"  {line['name']}", line["moneyness"], line["days"])
        yield from table.lines((*where, f"{line['rows']:,}", *sizes, f"{line['wrong']:,}"))


def _rates(rates: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yields one line a symbol and trade date: from the expiration that is surest of its rate."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for rate in rates:
        where = (rate["symbol"], rate["trade_date"])
        if where not in best or rate["doubt"] < best[where]["doubt"]:
            best[where] = rate
    if best:
        yield ""
    for (symbol, day), rate in best.items():
        doubt = f"± {rate['doubt']:.3%}" if rate["doubt"] else "as given"
        yield f"rate      {symbol} on {day}: computed with {rate['rate']:.3%} {doubt}"


def _parity(parity: Sequence[dict[str, Any]]) -> Iterator[str]:
    for line in parity:
        if line["times"] < _FEW:
            # How far they are apart does not show how sure they are.
            yield (
                f"parity    {line['symbol']} {line['expiration']} on {line['trade_date']}: calls "
                f"and puts imply a rate of {line['rate']:.2%} and dividends of "
                f"{line['dividend_yield']:.2%}, at {count(line['times'], 'time')} of day only"
            )
            continue
        yield (
            f"parity    {line['symbol']} {line['expiration']} on {line['trade_date']}: calls and "
            f"puts imply a rate of {line['rate']:.2%} ± {line['rate_spread']:.2%} and dividends of "
            f"{line['dividend_yield']:.2%} ± {line['dividend_spread']:.2%}"
        )


def _told(values: dict[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if not name.endswith("_recomputed"):
            ours = values.get(f"{name}_recomputed")
            yield f"{name} {value}" if ours is None else f"{name} {value} (recomputed {ours:g})"


def _findings(checked: Iterable[Checked]) -> Iterator[str]:
    by_rule: Counter[str] = Counter()
    worst: dict[str, list[Example]] = {}
    rows = 0
    for one in checked:
        rows += one.quality.rows
        for finding in one.findings:
            by_rule[finding.rule] += finding.count
            # Stable: of those that are as bad, the first. The others need not be held.
            examples = [*worst.get(finding.rule, ()), *finding.examples]
            examples.sort(key=lambda each: -each.badness)
            worst[finding.rule] = examples[:MOST_EXAMPLES]
    if not by_rule:
        yield f"no finding in {count(rows, 'row')}"
    for rule, words in (RULES | TOGETHER).items():
        if rule not in by_rule:
            continue
        of = "" if rule == MISSING_DATES else f" of {count(rows, 'row')}"
        yield f"{rule}: {by_rule[rule]:,}{of}: {words}"
        for example in worst[rule]:
            values = ", ".join(_told(example.values))
            yield f"    {' '.join(named(example.key))}  {values}".rstrip()
