"""Measures this project against its peers: `./run_local.sh bench --help`."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from importlib.metadata import version
from itertools import product
from pathlib import Path

from bench.peers.canned import Template, can, serve
from bench.peers.contenders import CONTENDERS, Setting
from bench.peers.measure import Measured, measure
from bench.peers.report import Case, save, table
from bench.peers.work import SIZES, Work, make_work

DESCRIPTION = """\
Downloads the same expirations with this project and with others, whole processes in turns, from
one server of canned answers on this machine, and prints a table: medians, with least and most.
Ratios are those of runs that followed one another; absolute times say little on a busy machine.
"""
EPILOG = f"""\
who: {"; ".join(f"{one.name}: {one.label}" for one in CONTENDERS.values())}

The slow ones are left out above a size (dlt: 10 million rows, Beam: 2.5), both with --api v2, and
the table names them.
Of 40 million rows the answers take 5.4 GB of disk in --scratch, and the files as much again.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./run_local.sh bench",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--sizes", default="0.6,2.5", help=f"millions of rows: {', '.join(SIZES)} (0.6,2.5)")
    add("--peers", default=",".join(CONTENDERS), help="who, by name (all)")
    add("--runs", type=int, default=5, help="of each (5)")
    add("--latencies", default="0", help="seconds before each answer, such as 0,0.25 (0)")
    add("--concurrencies", default="4", help="requests at a time, such as 1,2,4,8 (4)")
    add("--expirations", default="40", help="into how many the rows are divided (40)")
    add("--api", choices=("v3", "v2"), default="v3", help="generation of the answers (v3)")
    add("--skewed", action="store_true", help="near expirations have most of the rows")
    add("--output", type=Path, default=Path("data/bench"), help="for the results (data/bench)")
    add("--scratch", type=Path, help="a folder for answers and files (a temporary one)")
    add("--greeks", default=".venv/bin/greeks", help="this project's command (.venv/bin/greeks)")
    return parser


def run(name: str, work: Work, url: str, concurrency: int, folder: Path, greeks: str) -> Measured:
    scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))
    try:
        output = scratch / "files"
        output.mkdir()
        setting = Setting(work, url, concurrency, output, scratch, [str(Path(greeks).absolute())])
        return measure(CONTENDERS[name].command(setting), output, scratch / "log")
    finally:
        shutil.rmtree(scratch)


def _in_turns(
    flags: argparse.Namespace, what: str, work: Work, url: str, at_once: int, folder: Path
) -> dict[str, list[Measured]]:
    """Measures all who take part, as often as asked, and prints each run."""
    taking_part = [n for n in flags.peers.split(",") if CONTENDERS[n].takes(work.rows, work.api)]
    runs: dict[str, list[Measured]] = {name: [] for name in taking_part}
    for n in range(flags.runs):
        # To and fro, so that nobody always runs behind the same one.
        for name in taking_part[:: -1 if n % 2 else 1]:
            one = run(name, work, url, at_once, folder, flags.greeks)
            runs[name].append(one)
            took = f"{one.seconds:.2f} s, {one.processor:.2f} CPU s, {one.memory:.0f} MiB"
            print(f"{what}, {name}: {took}, {one.rows:,} rows", file=sys.stderr, flush=True)
    return runs


def main() -> None:
    parser = _parser()
    flags = parser.parse_args()
    unknown = {*flags.peers.split(",")} - {*CONTENDERS} | {*flags.sizes.split(",")} - {*SIZES}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if flags.scratch:
        flags.scratch.mkdir(parents=True, exist_ok=True)
    template = Template([str(Path(flags.greeks).absolute())], flags.api)
    cases: list[Case] = []
    about = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("apache-beam", "dlt", "pyarrow", "requests")},
    }
    for size, count in product(flags.sizes.split(","), map(int, flags.expirations.split(","))):
        work = make_work(size, skewed=flags.skewed, expirations=count, api=flags.api)
        with tempfile.TemporaryDirectory(dir=flags.scratch) as folder:
            answers = Path(folder) / "answers"
            served = can(template, work, answers)
            for latency in map(float, flags.latencies.split(",")):
                with serve(answers, latency) as url:
                    for at_once in map(int, flags.concurrencies.split(",")):
                        what = f"{size} million rows, {latency:g} s, {at_once} at a time"
                        runs = _in_turns(flags, what, work, url, at_once, Path(folder))
                        how = (flags.skewed, latency, at_once, runs, flags.api)
                        cases.append(Case(size, work.rows, served, count, *how))
                        save(cases, flags.output, about)
    print(table(cases), end="")
    print(f"figures, table and plot: {flags.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
