"""The flags of `greeks download`, as argparse reads them."""

import argparse
from datetime import date, datetime, timedelta

from pipeline.config.download_config import (
    APIS,
    EMBEDDED,
    LOCAL_URLS,
    PROGRESS,
    TIERS,
)
from transforms.market import clock
from transforms.model import INTERVALS
from transforms.output.layout import BY_EXPIRATION, COMPRESSIONS, PATTERNS
from transforms.output.resume import PROOFS
from transforms.quality.limits import ANY, RULES
from transforms.schema import ORDERS
from transforms.thetadata.client import BATCH_SIZE


def add_download_flags(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds the flags of `greeks download` to a parser, by groups.

    Args:
        parser: to add them to.
        required: whether the flags without a default must be given.
    """
    what = parser.add_argument_group("what")
    what.add_argument(
        "--symbol",
        type=_words,
        required=required,
        metavar="SPXW[,SPX]",
        help="option roots, with commas between them; must be given",
    )
    what.add_argument(
        "--start_date",
        type=iso_date,
        required=required,
        metavar="DATE",
        help="the first trade date, YYYY-MM-DD or YYYYMMDD, or today or yesterday (in New York); "
        "must be given",
    )
    what.add_argument(
        "--end_date",
        type=iso_date,
        metavar="DATE",
        help="the last trade date, included (default: --start_date)",
    )
    what.add_argument(
        "--max_dte",
        type=int,
        default=30,
        metavar="DAYS",
        help="the most calendar days from a trade date to an expiration (default: %(default)s)",
    )
    what.add_argument(
        "--expirations",
        type=_dates,
        default=(),
        metavar="DATE[,DATE]",
        help="exactly these expirations, whatever --max_dte (default: all within it)",
    )
    what.add_argument(
        "--greeks",
        default="first_order",
        choices=list(ORDERS),
        help="the order of Greeks; eod is one row for each contract and trade date "
        "(default: %(default)s)",
    )
    what.add_argument(
        "--interval",
        help=f"time between two rows of a contract: {', '.join(INTERVALS)} (default: 5m)",
    )
    what.add_argument(
        "--start_time",
        metavar="HH:MM:SS",
        help="the first row of a day, in New York (default: 09:30:00)",
    )
    what.add_argument(
        "--end_time", metavar="HH:MM:SS", help="the last row of a day, included (default: 16:00:00)"
    )
    what.add_argument(
        "--strike_range",
        metavar="N",
        help="only N strikes above and N below the money (v3; default: all)",
    )
    how = parser.add_argument_group("how ThetaData computes the Greeks")
    how.add_argument(
        "--rate_type",
        metavar="RATE",
        help="sofr, or treasury_m1 to treasury_y30 (ThetaData's default: sofr)",
    )
    how.add_argument(
        "--rate_value",
        metavar="RATE",
        help="a rate of your own in place of --rate_type. Its unit is in doubt: "
        "ThetaData's v3 documentation says percent (5.0 is 5 %%), its v2 "
        "documentation a decimal (0.05 is 5 %%), and live v3 Terminals were seen to "
        "take a decimal. Better leave it out, or compare rho first (default: none)",
    )
    how.add_argument(
        "--annual_dividend",
        metavar="USD",
        help="dividends of the underlying per year and share (default: none)",
    )
    how.add_argument(
        "--greeks_version",
        metavar="VERSION",
        help="ThetaData's version of the formulas: latest, or 1 with its own rule for "
        "the day of expiration (v3; default: latest)",
    )
    source = parser.add_argument_group("from where")
    source.add_argument(
        "--terminal",
        default="",
        metavar="URL[,URL]",
        help="the Theta Terminal's address, or those of several, each with its own limit, between "
        f"which the work is dealt; or '{EMBEDDED}' for a simulated market "
        f"(default: whichever answers of {' and '.join(LOCAL_URLS)})",
    )
    source.add_argument(
        "--api",
        default="auto",
        choices=APIS,
        help="the generation of the API; auto asks (default: %(default)s)",
    )
    source.add_argument(
        "--tier",
        default="standard",
        choices=list(TIERS),
        help="the subscription, which says how many requests may be under way at "
        "once: v3 1, 2, 4, 8; v2 1, 1, 2, 4 (default: %(default)s)",
    )
    source.add_argument(
        "--concurrency",
        type=int,
        default=0,
        metavar="N",
        help="requests under way at once at each Terminal (default: what --tier says)",
    )
    source.add_argument(
        "--timeout",
        type=float,
        default=300.0,
        metavar="SECONDS",
        help="without a byte, after which an answer counts as broken (default: %(default)g)",
    )
    source.add_argument(
        "--attempts",
        type=int,
        default=8,
        metavar="N",
        help="the most times one answer is asked for without coming further, if it was "
        "broken, late, or refused for the moment (default: %(default)s)",
    )
    source.add_argument(
        "--retry_seconds",
        type=float,
        default=900.0,
        metavar="SECONDS",
        help="the most time for one answer (default: %(default)g)",
    )
    source.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="of the simulated market (default: %(default)s)",
    )
    trust = parser.add_argument_group("whether to trust it")
    trust.add_argument(
        "--check",
        action="store_true",
        default=True,
        help="look at the rows for what can't be right, and tell it (default)",
    )
    trust.add_argument("--no_check", dest="check", action="store_false", help="leave that out")
    trust.add_argument(
        "--fail_on",
        default="",
        metavar="RULES",
        help="what fails an expiration, as in zero_greeks>5%%,holes>1%%,duplicates: its file is "
        "not written (default: none does). Rules: " + ", ".join([*RULES, ANY]),
    )
    target = parser.add_argument_group("to where")
    target.add_argument(
        "--output",
        default="data/greeks",
        metavar="FOLDER",
        help="the folder of the files (default: %(default)s)",
    )
    target.add_argument(
        "--format",
        default="csv",
        choices=list(COMPRESSIONS),
        help="of the files (default: %(default)s)",
    )
    target.add_argument(
        "--compression",
        choices=["none", "gzip", "zstd", "snappy"],
        help="; ".join(f"{name}: {', '.join(known)}" for name, known in COMPRESSIONS.items())
        + " (default: the first)",
    )
    target.add_argument(
        "--batch_size",
        type=int,
        default=BATCH_SIZE,
        metavar="ROWS",
        help="the most rows in a batch (default: %(default)s)",
    )
    target.add_argument(
        "--layout",
        default=BY_EXPIRATION,
        choices=list(PATTERNS),
        help="one file for each expiration, or with daily one for each trade date of each, so that "
        "tomorrow's run adds files (default: %(default)s)",
    )
    target.add_argument(
        "--file_name_pattern",
        default="",
        metavar="PATTERN",
        help="of the files, see below (default: "
        + "; ".join(f"{kind}: {own}" for kind, own in PATTERNS.items()).replace("%", "%%")
        + ")",
    )
    target.add_argument(
        "--metrics",
        default="data/metrics",
        metavar="WHERE",
        help="where the run history is kept: a folder or URL of JSON files, sqlite:///PATH, or "
        "postgresql://USER@HOST/DATABASE (default: %(default)s)",
    )
    file = parser.add_argument_group("from a file")
    file.add_argument(
        "--config",
        metavar="FILE",
        help="TOML whose keys are the names of flags, also of Beam's; a flag wins "
        "(default: no file)",
    )
    shown = parser.add_argument_group("how it is shown")
    shown.add_argument(
        "--progress",
        default="auto",
        choices=PROGRESS,
        help="bar: redraws on a terminal; plain: a line every --progress_seconds; none: nothing "
        "until the end; auto: a bar where standard error is a terminal, else plain "
        "(default: %(default)s)",
    )
    shown.add_argument(
        "--progress_seconds",
        type=float,
        default=5.0,
        metavar="SECONDS",
        help="between two plain lines of progress (default: %(default)g)",
    )
    again = parser.add_argument_group("what is there already")
    again.add_argument(
        "--resume",
        default=PROOFS[0],
        choices=PROOFS,
        help="how closely a file of an earlier run of the same request is looked at before it is "
        "believed and skipped: its size, its SHA-256, or off to fetch everything again "
        "(default: %(default)s)",
    )
    again.add_argument(
        "--overwrite",
        dest="resume",
        action="store_const",
        const="off",
        help="fetch again what is there, as --resume off does; files of other requests stay",
    )
    again.add_argument(
        "--retry_empty_after",
        type=float,
        default=7.0,
        metavar="DAYS",
        help="after which an expiration that had no data is asked for again (default: %(default)g)",
    )
    again.add_argument(
        "--no_disk_check",
        dest="check_disk",
        action="store_false",
        help="start even if the files are not expected to fit on the disk",
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def iso_date(text: str) -> date:
    """Returns a date of a flag; `today` and `yesterday` are New York's.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    days_ago = {"today": 0, "yesterday": 1}.get(text.strip().lower())
    if days_ago is not None:
        return clock.now().date() - timedelta(days=days_ago)
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 -- a date has no zone
        except ValueError:
            continue
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a date: YYYY-MM-DD or YYYYMMDD, today or yesterday (in New York)"
    )


def _dates(text: str) -> tuple[date, ...]:
    return tuple(iso_date(word) for word in _words(text))
