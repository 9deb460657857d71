"""`greeks report`: draws charts of a run and its data."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.cli.flags import add_flag, add_progress_flags
from pipeline.config.values import iso_date
from pipeline.process.standard_output import print_line
from pipeline.text import count
from transforms.market import clock_ms

SUMMARY = "draw charts of a run and its data, as an HTML file and PNGs"
DESCRIPTION = """\
Draws a run and its data in one HTML file that needs no network: smiles, term structure, surface,
Greeks, completeness, quality, and the changes since the trade date before."""
EPILOG = """\
examples:
  greeks report
      the newest run

  greeks report data/metrics/pipeline-run-20240314T210000.000000Z.json --png pictures
      a certain run, with its figures as PNGs, too

  greeks report --output data/march --symbol SPXW --trade_date 2024-03-14 --time 15:45
      a folder of files from any source

  greeks report --output s3://bucket/greeks
      a folder in an object store, whose report is put beside it

Needs the extra `report`: pip install 'theta-greeks-pipeline[report]'

A file that can't be read is reported, also in the HTML file, and the other files are drawn.

exit codes: 0 the report is written; 1 there is no data to draw, or a file can't be read; 2 a wrong
flag, or the extra is missing.
"""
STORAGE_FLAGS = True

OK, NOTHING, USAGE = 0, 1, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    parser.add_argument(
        "run",
        nargs="?",
        default="",
        metavar="RUN",
        help="id of a run, last, previous, or the file of a run summary (default: the newest run)",
    )
    add_flag(
        parser,
        "output",
        help="folder of the data files, as given to greeks download",
        default="",
        default_text="the run's own, or data/greeks if there is no run",
    )
    add_flag(parser, "metrics")
    add_progress_flags(parser)
    parser.add_argument(
        "--symbol",
        default="",
        metavar="SPXW",
        help="option root of the figures (default: the one with the most files)",
    )
    parser.add_argument(
        "--trade_date",
        type=iso_date,
        metavar="DATE",
        help="trade date of the figures (default: the last in the files)",
    )
    parser.add_argument(
        "--time",
        type=_time,
        metavar="HH:MM",
        help="time of the smiles and similar figures, in New York (default: 10:00, or the time "
        "with rows that is nearest to it)",
    )
    parser.add_argument(
        "--to",
        metavar="FILE",
        help="HTML file to write (default: report.html in <output>.meta)",
    )
    parser.add_argument(
        "--png",
        type=Path,
        metavar="FOLDER",
        help="also write each figure to this folder as a PNG (default: no PNGs)",
    )


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Writes a report and returns the exit code."""
    from pipeline.reports.figure import ReportExtraMissing, require

    begin = time.monotonic()
    try:
        require()
    except ReportExtraMissing as error:
        print_line(str(error), sys.stderr)
        return USAGE
    from pipeline.inspection.files import UnreadableFile
    from pipeline.progress import tracked
    from pipeline.reports.build import build
    from pipeline.reports.page import drawing_code, html, write_file, write_pngs
    from pipeline.reports.rows import NoRows
    from pipeline.reports.selection import no_files
    from pipeline.reports.source import find_source

    try:
        drawing_code()  # while this process is small yet
        source = find_source(options.run, options.output, options.metrics)
        track = tracked(options.progress, options.progress_seconds)
        report = build(source, options.symbol, options.trade_date, options.time, track)
        path = options.to or f"{source.meta}/report.html"
        size = write_file(path, html(report))
        print_line(
            f"report: {path} ({size / 1e6:.1f} MB, {count(len(report.figures), 'figure')}, "
            f"{time.monotonic() - begin:.1f} s)"
        )
        if not source.files:
            print_line(f"note: {no_files(source)}", sys.stderr)
        for says in report.unreadable:
            print_line(f"greeks report: can't be read: {says}", sys.stderr)
        if options.png:
            written = write_pngs(report, options.png)
            print_line(f"PNGs:   {options.png} ({len(written)})")
    except (NoRows, OSError, UnreadableFile) as error:
        print_line(f"greeks report: {error}", sys.stderr)
        return NOTHING
    return NOTHING if report.unreadable else OK


def _time(text: str) -> int:
    try:
        return clock_ms(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
