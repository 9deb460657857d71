"""Compiled inner loops, and whether they are there.

`read_rows` and `print_rows` are here only if `AVAILABLE`.
"""

from transforms.native.compiled import AVAILABLE, count_lines

if AVAILABLE:
    from transforms.native.compiled import print_rows, read_rows

__all__ = ["AVAILABLE", "count_lines", "print_rows", "read_rows"]
