"""The bar of a notebook's cell: HTML that is replaced in place, in any front end of Jupyter."""

import sys
from html import escape
from importlib import import_module
from typing import Any

from pipeline.progress.display import Display, facts
from pipeline.progress.snapshot import Snapshot
from pipeline.text import count, time_text
from transforms.text.secrets import hide


def in_notebook() -> bool:
    """Returns whether this process is a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


class Cell(Display):
    """A bar and a line of facts in the output of the cell that makes it."""

    seconds = 0.5

    def __init__(self) -> None:
        super().__init__()
        shown: Any = import_module("IPython.display")
        self._html = shown.HTML
        # Later pieces find their place by its id, from whatever thread.
        self._shown = shown.display(self._html(_bar(0, 1, "…")), display_id=True)

    def draw(self, now: Snapshot, memory: float) -> None:
        """Draws the bar."""
        line = f"{time_text(now.seconds)}, ETA {time_text(now.remaining)}; {facts(now, memory)}"
        text = f"{now.done:,} of {count(now.total, now.thing)}; {line}"
        self._shown.update(self._html(_bar(now.done, now.total, text)))

    def draw_last(self, now: Snapshot, memory: float) -> None:
        """Draws the bar for the last time."""
        self.draw(now, memory)


def _bar(done: int, total: int, text: str) -> str:
    return (
        f'<progress style="width: 100%" value="{done}" max="{max(total, 1)}"></progress>'
        f"<div>{escape(hide(text))}</div>"
    )
