"""The bar of a terminal. Imported only where there is one: it takes a few MiB."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pipeline.process.colour import COLOURS
from pipeline.process.standard_output import drawing
from pipeline.progress.display import Display, facts, in_flight
from pipeline.progress.results import ResultLines, ResultTable
from pipeline.progress.snapshot import Snapshot
from pipeline.text import count, time_text
from transforms.text.foreign import escaped
from transforms.text.secrets import hide


class Bar(Display):
    """Three lines that redraw below the table of results.

    Args:
        results: makes lines of the results. Where they go is left alone if it is no terminal, and
            the bar still shows.
        shared: whether the program prints to the terminal as well: until `close`, what it prints
            goes above the bar.
    """

    seconds = 0.25

    def __init__(self, results: ResultLines | None = None, *, shared: bool = False) -> None:
        self._results = results or ResultTable()
        self._console = Console(file=drawing(sys.stderr), highlight=False, soft_wrap=False)
        self._live = Live(
            console=self._console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=shared and sys.stdout.isatty(),
            redirect_stderr=shared,
        )
        self._live.start()
        # A second Ctrl-C ends the process at once: nobody would bring the cursor back.
        self._console.show_cursor(True)

    def result(self, result: Mapping[str, Any]) -> None:
        """Prints a result above the bar, or to wherever the results go."""
        out, word = self._results.out, result["status"]
        for line in self._results.lines(result):
            if out.isatty():
                text = _text(line)
                if not self._results.for_programs:
                    text.highlight_words([word], COLOURS.get(word, ""))
                self._console.print(text, no_wrap=True, overflow="ignore", crop=False)
            else:
                print(line, file=out, flush=True)

    def line(self, text: str) -> None:
        """Prints a line above the bar."""
        self._console.print(_text(text))

    def news(self, text: str) -> None:
        """Prints an event above the bar."""
        self._console.print(_text(text, "yellow"))

    def draw(self, now: Snapshot, memory: float) -> None:
        """Draws the bar."""
        head = Table.grid(padding=(0, 1), expand=True)
        head.add_column()
        head.add_column(ratio=1)
        head.add_column(justify="right")
        share = now.done / now.total if now.total else 1
        head.add_row(
            f"{now.done}/{count(now.total, now.thing)} {share:.0%}",
            ProgressBar(total=max(now.total, 1), completed=now.done),
            f"{time_text(now.seconds)}, ETA {time_text(now.remaining)}",
        )
        lines = [_text(facts(now, memory))]
        if now.fetching:
            lines.append(_text(f"in flight: {in_flight(now) or '-'}", "dim"))
        for text in lines:
            text.no_wrap, text.overflow = True, "ellipsis"
        self._live.update(Group(head, *lines), refresh=True)

    def close(self) -> None:
        """Takes the bar away; the lines above it stay."""
        self._live.stop()


def _text(text: str, style: str = "") -> Text:
    return Text(escaped(hide(text)), style)
