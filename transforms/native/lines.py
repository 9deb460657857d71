"""Counts lines."""

import numpy as np
import pyarrow as pa

from transforms.native import compiled


def lines_in(text: bytes | memoryview | pa.Buffer) -> int:
    """Returns how many lines end in a text.

    `bytes.count` would take three times as long, and hold the GIL meanwhile.
    """
    if compiled.THERE:
        return compiled.count_lines(text)
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))
