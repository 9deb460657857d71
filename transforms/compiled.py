"""The compiled inner loops, where they were built.

They are a faster way of what Arrow does, for the plain text that a Terminal sends (see `_text.c`).
Where there was no C compiler to install this with, Arrow does it all: every file is the same, byte
for byte, and takes about twice the time.
"""

try:
    from transforms._text import count_lines, print_rows, read_rows
except ImportError:
    THERE = False
else:
    THERE = True

__all__ = ["THERE", "count_lines", "print_rows", "read_rows"]
