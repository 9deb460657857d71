"""What stands on a terminal in the end, of the sequences that a bar is drawn with."""

import re

_PIECE = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])|(\r)|(\n)|([^\x1b\r\n]+)")


def shown(text: str, width: int) -> list[str]:
    """Returns the lines that a terminal of a width shows, blank ones left out."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(text):
        count, command, back, new, words = piece.groups()
        if command == "A":
            row -= int(count or 1)
        elif command == "K":
            lines[row] = ""
        elif back:
            column = 0
        elif new:
            row += 1
        elif words:
            for character in words:
                if column == width:
                    row, column = row + 1, 0
                lines += [""] * (row + 1 - len(lines))
                lines[row] = (
                    lines[row].ljust(column)[:column] + character + lines[row][column + 1 :]
                )
                column += 1
        lines += [""] * (row + 1 - len(lines))
    return [line.rstrip() for line in lines if line.strip()]
