"""From the times that a Terminal tells, New York's, to instants."""

import pyarrow as pa
import pyarrow.compute as pc

from transforms.market.offsets import STEADY
from transforms.schema import ZONE


def zoned(local: pa.Array) -> pa.Array:
    """Returns New York's local times, `timestamp[ms]`, as instants of that zone.

    Asking for the offset of each costs as much as reading two numbers; where the first and the
    last of them have the same one and lie near one another, all have.

    Raises:
        pa.ArrowInvalid: a time that the clocks skip, or have twice.
    """
    ends = pc.min_max(local)
    low, high = ends["min"].value, ends["max"].value
    if low is None or high - low >= STEADY:
        return pc.assume_timezone(local, ZONE)
    first, last = pc.assume_timezone(pa.array([low, high], local.type), ZONE)
    offset = first.value - low
    if last.value - high != offset:
        return pc.assume_timezone(local, ZONE)
    return pc.add(local.view(pa.int64()), offset).view(pa.timestamp("ms", ZONE))
