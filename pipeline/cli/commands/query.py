"""`greeks query`: SQL over the files of a download."""

import argparse
import csv
import json
import math
import shutil
import sys
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipeline.cli.flags import add_flag

if TYPE_CHECKING:
    from pipeline.folder.query import Answer

SUMMARY = "query the files of a download with SQL"
DESCRIPTION = """\
Runs one SQL query over the files of an output folder, with DuckDB and the views of its catalog:
greeks, smiles, straddles, term_structure and files. Changes nothing."""
EPILOG = """\
examples:
  greeks query "SELECT expiration, count(*) FROM greeks GROUP BY ALL ORDER BY ALL"
      the rows of each expiration in data/greeks

  greeks query "SELECT * FROM smiles WHERE ny_time = '2024-03-14 10:00'" --csv > smiles.csv
      the smiles of a time, for another program

  greeks query "DESCRIBE greeks" --output data/march
      the columns of another folder's files

  greeks query "SELECT * FROM files" --output s3://bucket/greeks
      the files in an object store, of which only the pieces that the query needs are read

Needs the extra `notebook`: pip install 'theta-greeks-pipeline[notebook]'

Dates and times are New York's. "right" and "lambda" are words of SQL and need quotes. The table
shows the first and last rows of a long answer; --csv and --json print all of them.

exit codes: 0 the query was answered; 2 a wrong query or flag, nothing to query, or the extra is
missing.
"""
STORAGE_FLAGS = True

OK, USAGE = 0, 2
_ROWS = 40
# Where no terminal sets a limit.
_WIDTH = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the command's flags."""
    parser.add_argument("sql", metavar="SQL", help="one query")
    add_flag(parser, "output", help="folder of the data files, as given to greeks download")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV, with the names of the columns")
    form.add_argument("--json", action="store_true", help="print JSON: a list of objects")


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Runs a query, prints its answer, and returns the exit code."""
    from pipeline.folder.query import Catalog, QueryError

    try:
        answer = Catalog(options.output).ask(options.sql)
        if options.csv:
            _print_csv(answer)
        elif options.json:
            _print_json(answer)
        else:
            width = shutil.get_terminal_size((_WIDTH, 0)).columns
            for line in answer.table(width, _ROWS):
                print(line)
    except (QueryError, OSError, ValueError) as error:
        print(f"greeks query: {error}", file=sys.stderr)
        return USAGE
    return OK


def _print_csv(answer: "Answer") -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows():
        writer.writerow(map(_csv_value, row))


def _print_json(answer: "Answer") -> None:
    from pipeline.folder.query import QueryError

    names = answer.columns
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise QueryError(f"two columns are named {twice}: give one another name, with AS")
    begin = "[\n"
    for row in answer.rows():
        document = dict(zip(names, map(_json_value, row), strict=True))
        print(begin + json.dumps(document, ensure_ascii=False, default=str), end="")
        begin = ",\n"
    print("\n]" if begin != "[\n" else "[]")


def _csv_value(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(_json_value(value), ensure_ascii=False, default=str)
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time) else value


def _json_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_json_value(each) for each in value]
    if isinstance(value, dict):
        return {name: _json_value(each) for name, each in value.items()}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    # JSON has no word for these.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, date | time) else value
