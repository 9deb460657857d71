"""The rows of the simulated market as Arrow tables: what a correct download holds."""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.terminal.greeks import CENTS, ORDERS, Block

_ZONE = "America/New_York"


def table(blocks: Iterable[Block], greeks: str) -> pa.Table:
    """Returns the rows of some blocks, in their order.

    Numbers are exactly those that the served decimals denote.

    Args:
        blocks: the rows.
        greeks: their order of Greeks, a key of `ORDERS`.
    """
    schema = _schema(greeks)
    return pa.Table.from_batches([_batch(block, schema) for block in blocks], schema)


def _schema(greeks: str) -> pa.Schema:
    stamp = pa.timestamp("ms", tz=_ZONE)
    key = [
        ("symbol", pa.string()), ("expiration", pa.date32()), ("strike", pa.float64()),
        ("right", pa.string()), ("timestamp", stamp),
    ]  # fmt: skip
    return pa.schema(
        [
            *(pa.field(name, kind, nullable=False) for name, kind in key),
            *((name, pa.float64()) for name in ORDERS[greeks]),
            ("underlying_timestamp", stamp),
            ("underlying_price", pa.float64()),
        ]
    )


def _batch(block: Block, schema: pa.Schema) -> pa.RecordBatch:
    contracts, times = len(block.contracts), len(block.at.days)
    strikes = np.array([strike for strike, _ in block.contracts]) / 1000
    columns = {
        "symbol": pa.repeat(block.symbol, block.rows),
        "expiration": pa.repeat(pa.scalar(block.expiration, pa.date32()), block.rows),
        "strike": np.repeat(strikes, times),
        "right": np.repeat([right[0] for _, right in block.contracts], times),
    }
    days = block.at.days * 86_400_000
    for name, stamps in (
        ("timestamp", days + block.at.milliseconds),
        ("underlying_timestamp", days + block.at.underlying_milliseconds),
    ):
        local = pa.array(np.tile(stamps, contracts)).cast(pa.timestamp("ms"))
        columns[name] = pc.assume_timezone(local, _ZONE)
    for name, values in block.numbers.items():
        columns[name] = values.ravel() / (100 if name in CENTS else 10_000)
    return pa.record_batch([pa.array(columns[name]) for name in schema.names], schema=schema)
