"""The compiled inner loops, where they were built.

They are a faster way of what Arrow and NumPy do, for the plain text that a Terminal sends; see
`_text.c`. Where there was no C compiler to install this with, those do it all: every file is the
same, byte for byte, and takes about twice the time.
"""

import numpy as np
import pyarrow as pa

try:
    from transforms.native import _text
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True
    print_rows, read_rows = _text.print_rows, _text.read_rows

__all__ = ["AVAILABLE", "count_lines", "print_rows", "read_rows"]


def count_lines(text: bytes | memoryview | pa.Buffer) -> int:
    r"""Returns how many line feeds a text has.

    `bytes.count` would take three times as long, and hold the GIL meanwhile.

    >>> count_lines(b"a,1\nb,2\n")
    2
    """
    if AVAILABLE:
        return _text.count_lines(text)
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == ord("\n")))
