"""The compiled inner loops, where they were built.

They are a faster way of what Arrow and NumPy do, for the plain text that a Terminal sends (see
`_text.c`), and for rows in which there is nothing to find (`_clean.c`). Where there was no C
compiler to install this with, those do it all: every file is the same, byte for byte, and takes
about twice the time.
"""

try:
    from transforms.native._clean import look
    from transforms.native._text import count_lines, print_rows, read_rows
except ImportError:
    THERE = False
else:
    THERE = True

__all__ = ["THERE", "count_lines", "look", "print_rows", "read_rows"]
