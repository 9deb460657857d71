"""The rows of the simulated market as Arrow tables: what a correct download holds, for tests."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.simulator.market import market
from pipeline.simulator.market.greeks import (
    COLUMNS,
    INTERVALS,
    V2,
    ContractRows,
    Query,
    decimals,
    has_underlying,
)

_ZONE = "America/New_York"


@dataclass(frozen=True)
class Market(market.Market):
    """The simulated market, whose rows can be had as a download would write them."""

    def rows(
        self,
        symbol: str,
        expiration: date,
        trade_date: date,
        interval: str = "5m",
        greeks: str = "first_order",
        last_date: date | None = None,
        version: str = "latest",
    ) -> pa.Table:
        """Returns the rows that are served for one expiration, as a table.

        Columns, types and values are those of the files that this project writes: `right` is `C`
        or `P`, timestamps are instants with the zone America/New_York, numbers are exactly those
        that the served decimals denote. There are no rows where the server answers 472. v2 serves
        what v3 serves for `version` 1, but for the delta of an unsolved volatility in the order
        `all`, and the orders that v2 has with other columns: theirs are called `eod_v2` and so on,
        and what v2 lacks is null.

        Args:
            symbol: the option root.
            expiration: the date on which the contracts expire.
            trade_date: the first trade date.
            interval: a key of `INTERVALS`; the end of the day has none.
            greeks: a key of `COLUMNS`.
            last_date: the last trade date, or None for one trade date.
            version: how time is counted, `latest` or `1`; what ends with `_v2` has `1`.
        """
        query = Query(
            symbol,
            expiration,
            trade_date,
            last_date or trade_date,
            greeks,
            interval=INTERVALS[interval],
            version="1" if greeks.endswith(V2) else version,
        )
        return table(self.blocks(query), greeks)


def table(blocks: Iterable[ContractRows], greeks: str) -> pa.Table:
    """Returns the rows of some blocks, in their order.

    Numbers are exactly those that the served decimals denote.

    Args:
        blocks: the rows.
        greeks: their order of Greeks, a key of `COLUMNS`.
    """
    schema = _schema(greeks)
    return pa.Table.from_batches([_batch(block, schema) for block in blocks], schema)


def _schema(greeks: str) -> pa.Schema:
    stamp = pa.timestamp("ms", tz=_ZONE)
    key = [
        ("symbol", pa.string()),
        ("expiration", pa.date32()),
        ("strike", pa.float64()),
        ("right", pa.string()),
        ("timestamp", stamp),
    ]
    return pa.schema(
        [
            *(pa.field(name, kind, nullable=False) for name, kind in key),
            *((name, _type(name)) for name in COLUMNS[greeks.removesuffix(V2)]),
            *(
                [("underlying_timestamp", stamp), ("underlying_price", pa.float64())]
                if has_underlying(greeks)
                else []
            ),
        ]
    )


def _type(column: str) -> pa.DataType:
    if column.endswith("exchange") or "condition" in column:
        return pa.int32()
    return pa.float64() if decimals(column) else pa.int64()


def _batch(block: ContractRows, schema: pa.Schema) -> pa.RecordBatch:
    contracts, instants = len(block.contracts), len(block.at.days)
    strikes = np.array([strike for strike, _ in block.contracts]) / 1000
    columns: dict[str, Any] = {
        "symbol": pa.repeat(block.symbol, block.rows),
        "expiration": pa.repeat(pa.scalar(block.expiration, pa.date32()), block.rows),
        "strike": np.repeat(strikes, instants),
        "right": np.repeat([right[0] for _, right in block.contracts], instants),
    }
    days = block.at.days * 86_400_000
    own = block.numbers.get("ms_of_day", block.at.milliseconds)
    for name, times in (
        ("timestamp", own),
        ("underlying_timestamp", block.at.underlying_milliseconds),
    ):
        stamps = np.broadcast_to(days + times, (contracts, instants)).ravel()
        columns[name] = pc.assume_timezone(pa.array(stamps).cast(pa.timestamp("ms")), _ZONE)
    for name, values in block.numbers.items():
        unit = 10 ** decimals(name)
        columns[name] = values.ravel() if unit == 1 else values.ravel() / unit
    return pa.record_batch(
        [
            pa.array(columns[name], type=kind) if name in columns else pa.nulls(block.rows, kind)
            for name, kind in zip(schema.names, schema.types, strict=True)
        ],
        schema=schema,
    )
