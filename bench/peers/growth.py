"""Growth tables from what several runs of the bench left: `python -m bench.peers.growth JSON…`.

Each table shows how time and memory of this project grow with one thing, beside the thread pool,
while the others stay as they are. Files are merged; of the same work the last one counts.
"""

import json
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.peers.measure import Measured
from bench.peers.report import Case, ratio

SHOWN = (("ours-csv", "CSV"), ("ours-parquet", "Parquet"), ("pool-parquet", "pool, Parquet"))

Key = Callable[[Case], float]
BY: dict[str, Key] = {
    "million rows": lambda case: case.rows / 1e6,
    "expirations": lambda case: case.expirations,
    "at a time": lambda case: case.concurrency,
}
"""What grows, and where it is printed."""


def load(paths: Sequence[str]) -> list[Case]:
    """Returns the cases of some `peers.json`."""
    found: dict[tuple[object, ...], Case] = {}
    for path in paths:
        for one in json.loads(Path(path).read_text())["cases"]:
            runs = {
                name: [Measured(**run) for run in runs] for name, runs in one.pop("runs").items()
            }
            found[tuple(one.values())] = Case(**one, runs=runs)
    return list(found.values())


def table(cases: Sequence[Case], by: str) -> str:
    """Returns a Markdown table of cases, ascending; each cell is a median."""
    columns = [
        f"{label}: {figure}" if not n else figure
        for _, label in SHOWN
        for n, figure in enumerate(("s", "CPU s", "MiB"))
    ]
    heads = [by, *columns, "Parquet, times the pool's", "runs"]
    lines = [f"| {' | '.join(heads)} |", f"|{'--:|' * len(heads)}"]
    for case in sorted(cases, key=BY[by]):
        key = BY[by](case)
        cells = [f"{key:,.1f}" if by == "million rows" else f"{key:,}"]
        for name, _ in SHOWN:
            runs = case.runs.get(name, [])
            for figure, places in (("seconds", 1), ("processor", 1), ("memory", 0)):
                values = [getattr(run, figure) for run in runs]
                cells.append(f"{statistics.median(values):.{places}f}" if values else "")
        cells += [ratio(case, "ours-parquet"), str(max(map(len, case.runs.values())))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    cases = load(sys.argv[1:])
    for by in BY:
        groups: dict[tuple[tuple[str, float], ...], list[Case]] = {}
        for case in cases:
            others = {name: key(case) for name, key in BY.items() if name != by}
            others |= {"s of latency": case.latency, "skewed": case.skewed, "v2": case.api == "v2"}
            groups.setdefault(tuple(others.items()), []).append(case)
        for same, group in groups.items():
            if len(group) > 1:
                print(f"## {by}; {', '.join(f'{name} {value:g}' for name, value in same)}\n")
                print(table(group, by))


if __name__ == "__main__":
    main()
