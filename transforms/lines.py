"""Counts lines."""

import numpy as np
import pyarrow as pa


def lines_in(text: bytes | pa.Buffer) -> int:
    """Returns how many lines end in a text.

    `bytes.count` would take three times as long, and hold the GIL meanwhile.
    """
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))
