"""The table, the plot and the figures behind them."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.peers.contenders import CONTENDERS
from bench.peers.measure import Measured


@dataclass(frozen=True)
class Case:
    """All runs of one piece of work, in turns.

    Attributes:
        size: in millions of rows, as asked for.
        rows: of the work.
        bytes: of the answers.
        expirations: files.
        skewed: whether the near expirations have most of the rows.
        latency: seconds before the first byte of each answer.
        concurrency: requests at once.
        runs: of each contender, in the same order.
        api: the generation of the answers.
    """

    size: str
    rows: int
    bytes: int
    expirations: int
    skewed: bool
    latency: float
    concurrency: int
    runs: dict[str, list[Measured]]
    api: str = "v3"

    @property
    def title(self) -> str:
        """What it is, in words."""
        skew = ", skewed" if self.skewed else ""
        latency = f", {self.latency * 1000:.0f} ms" if self.latency else ""
        v2 = ", v2" if self.api == "v2" else ""
        return f"{self.rows / 1e6:.2f}M rows, {self.bytes / 1e6:,.0f} MB{v2}{skew}{latency}"


HEADS = (
    "work",
    "at a time",
    "who",
    "seconds (min–max)",
    "times the pool's",
    "CPU s",
    "rows/s",
    "MB/s",
    "peak MiB",
    "first file",
)


def table(cases: Sequence[Case]) -> str:
    """Returns the Markdown table."""
    lines = [f"| {' | '.join(HEADS)} |", "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|"]
    for case in cases:
        for name, runs in case.runs.items():
            lines.append(f"| {' | '.join(_cells(case, name, runs))} |")
        missing = [one.label for one in CONTENDERS.values() if not one.takes(case.rows, case.api)]
        if missing:
            lines.append(f"| {case.title} | {case.concurrency} | not run: {'; '.join(missing)} |")
    return "\n".join(lines) + "\n"


def _cells(case: Case, name: str, runs: list[Measured]) -> list[str]:
    seconds = [run.seconds for run in runs]
    middle = statistics.median(seconds)
    lost = case.rows - min(run.rows for run in runs)
    label = CONTENDERS[name].label + (f" (**{lost:,} rows lost**)" if lost else "")
    return [
        case.title,
        str(case.concurrency),
        label,
        f"{middle:.2f} ({min(seconds):.2f}–{max(seconds):.2f})",
        ratio(case, name),
        f"{statistics.median(run.processor for run in runs):.2f}",
        f"{case.rows / middle:,.0f}",
        f"{case.bytes / middle / 1e6:,.0f}",
        f"{statistics.median(run.memory for run in runs):.0f}",
        f"{statistics.median(run.first_file for run in runs):.2f} s",
    ]


def ratio(case: Case, name: str) -> str:
    """Returns the median, and the range, of the times of each round divided by one another."""
    against = case.runs.get(CONTENDERS[name].against)
    if against is None or CONTENDERS[name].against == name:
        return "1" if against else ""
    ratios = [a.seconds / b.seconds for a, b in zip(case.runs[name], against, strict=False)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def plot(cases: Sequence[Case], path: Path) -> None:
    """Draws time and memory against rows: everyone on it, equal expirations, no latency."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    plain = [case for case in cases if not case.latency and not case.skewed]
    usual = max({case.concurrency for case in plain}, key=[c.concurrency for c in plain].count)
    plain = sorted(
        (case for case in plain if case.concurrency == usual), key=lambda case: case.rows
    )
    figure, (times, memory) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name, contender in CONTENDERS.items():
        there = [case for case in plain if name in case.runs]
        rows = [case.rows / 1e6 for case in there]
        for axes, figure_of in ((times, "seconds"), (memory, "memory")):
            values = [
                statistics.median(getattr(run, figure_of) for run in case.runs[name])
                for case in there
            ]
            ours = name.startswith("ours")
            axes.plot(
                rows,
                values,
                marker="o",
                markersize=4,
                linewidth=2.2 if ours else 1.2,
                linestyle="-" if ours else "--",
                label=contender.label,
            )
    memory.axhline(200, color="grey", linewidth=0.8)
    memory.text(memory.get_xlim()[0], 200, " 200 MiB", va="bottom", color="grey", fontsize=8)
    for axes, title in ((times, "seconds, whole process"), (memory, "peak resident memory, MiB")):
        axes.set(xscale="log", yscale="log", xlabel="million rows", title=title)
        axes.grid(visible=True, which="both", alpha=0.25)
    times.legend(fontsize=8)
    figure.suptitle(f"{usual} requests at a time, {plain[0].expirations} expirations")
    figure.savefig(path, dpi=140)
    plt.close(figure)


def save(cases: Sequence[Case], folder: Path, about: dict[str, Any]) -> None:
    """Writes the table, the plot, and every run's figures."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {**about, "cases": [asdict(case) for case in cases]}
    (folder / "peers.json").write_text(json.dumps(document, indent=1) + "\n")
    (folder / "peers.md").write_text(table(cases))
    if any(not case.latency and not case.skewed for case in cases):
        plot(cases, folder / "peers.png")
