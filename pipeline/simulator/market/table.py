"""The rows of the simulated market as Arrow tables: what a correct download holds."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.simulator.market.greeks import (
    COLUMNS,
    V2,
    ContractRows,
    decimals,
    has_underlying,
)

_ZONE = "America/New_York"


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
