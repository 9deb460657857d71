"""The flags of `greeks terminal`."""

import argparse
from datetime import date
from functools import partial

from pipeline.simulator.faults.rules import parse_rules

DEFAULT_PORTS = {"v3": 25503, "v2": 25510}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the stand-in Terminal to a parser."""
    market = parser.add_argument_group("market")
    how = parser.add_argument_group("answers")
    limits = parser.add_argument_group("limits")
    trouble = parser.add_argument_group("faults")
    how.add_argument(
        "--api",
        choices=sorted(DEFAULT_PORTS),
        default="v3",
        help="generation of the API (default: %(default)s)",
    )
    how.add_argument(
        "--port",
        type=_port,
        metavar="N",
        help="port on 127.0.0.1; 0 for any free port (default: 25503, with --api v2 25510)",
    )
    market.add_argument(
        "--symbols",
        type=_symbols,
        default=("SPXW", "SPX"),
        metavar="SPXW[,SPX]",
        help="option roots that have contracts, separated by commas; all but SPXW and SPX are "
        "stocks with weekly options (default: SPXW,SPX)",
    )
    market.add_argument(
        "--seed",
        type=_count,
        metavar="N",
        default=0,
        help="random seed of the market (default: %(default)s)",
    )
    market.add_argument(
        "--last_date",
        type=_date,
        metavar="DATE",
        help="today's date in the market, after which there is no data (default: 2026-12-31)",
    )
    how.add_argument(
        "--latency",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="delay before each answer (default: %(default)s)",
    )
    how.add_argument(
        "--style",
        choices=("documented", "live"),
        default="documented",
        help="style of the CSV: documented: unquoted, as in ThetaData's documentation; live: "
        "quoted and with milliseconds, as from live Terminals since 2026 (default: %(default)s)",
    )
    limits.add_argument(
        "--concurrency",
        type=_positive,
        metavar="N",
        default=8,
        help="number of requests answered at the same time (default: %(default)s)",
    )
    limits.add_argument(
        "--queue",
        type=_count,
        metavar="N",
        default=16,
        help="number of requests that wait; further requests get status 429 (default: %(default)s)",
    )
    limits.add_argument(
        "--row_limit",
        type=_positive,
        metavar="ROWS",
        help="v3: maximum rows of an answer; larger ones get status 570 (default: no limit)",
    )
    limits.add_argument(
        "--tick_limit",
        type=_positive,
        default=500_000,
        metavar="ROWS",
        help="v2: rows in a page of an answer (default: %(default)s)",
    )
    limits.add_argument(
        "--page_expire",
        type=_seconds,
        default=10.0,
        metavar="SECONDS",
        help="v2: time after which a page that is not fetched is dropped (default: %(default)s)",
    )
    header = limits.add_mutually_exclusive_group()
    header.add_argument(
        "--page_header",
        action="store_true",
        help="v2: begin every page of CSV with the column names",
    )
    header.add_argument(
        "--no_page_header",
        action="store_false",
        dest="page_header",
        help="v2: begin only the first page with the column names (default)",
    )
    trouble.add_argument(
        "--chaos",
        type=_chaos,
        default="",
        metavar="KIND:VALUE[,…]",
        help="faults of answers to requests for Greeks: a status, reset, cut, slow, hang, "
        "malformed, nodata200, norows or restate, each with a probability below 1, the number of "
        "first requests that it affects, or the trade date whose requests it affects; KIND! "
        "affects the same requests each time; such as 429:0.1,cut:0.05,474:3,norows:2024-03-14 "
        "(default: no faults)",
    )
    trouble.add_argument(
        "--chaos_limit",
        type=_count,
        default=3,
        metavar="N",
        help="maximum number of faulty answers to the same request (default: %(default)s)",
    )
    trouble.add_argument(
        "--retry_after",
        type=_count,
        metavar="SECONDS",
        help="value of the Retry-After header of each 429 (default: no such header)",
    )
    how.add_argument(
        "--exit_with_stdin",
        action="store_true",
        help="stop when standard input ends, as it does with the parent process",
    )


def _count(text: str, least: int = 0) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of {least} or more")
    return int(text)


_positive = partial(_count, least=1)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return value


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2024-03-14") from None
    if not 2012 < day.year < 2035:
        raise argparse.ArgumentTypeError(f"{text} is not within 2013 to 2034")
    return day


def _chaos(text: str) -> str:
    try:
        parse_rules(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _symbols(text: str) -> tuple[str, ...]:
    symbols = tuple(dict.fromkeys(word.strip().upper() for word in text.split(",")))
    if not all(symbols):
        raise argparse.ArgumentTypeError(f"{text!r} has an empty symbol; write SPXW,SPX")
    return symbols
