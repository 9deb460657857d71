"""What one download is asked to do: a frozen value, validated once."""

import math
import os
import re
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pipeline.addresses import is_address, is_sql, redacted
from pipeline.errors import ConfigError
from transforms.model import INTERVALS, PARAMETERS, checked_symbol
from transforms.output.folder import META
from transforms.output.layout import BY_EXPIRATION, COMPRESSIONS, PATTERNS, check_pattern
from transforms.output.resume import PROOFS
from transforms.quality.limits import parse_limits
from transforms.schema import END_OF_DAY, ORDERS
from transforms.thetadata.client import BATCH_SIZE, DEFAULT_URL

EMBEDDED = "embedded"
FIRST_DATE = date(2012, 6, 1)
"""ThetaData's option history begins here."""

LOCAL_URLS = (DEFAULT_URL, "http://127.0.0.1:25510")
"""Where Terminals listen on this machine: v3, then v2."""

APIS = ("auto", "v3", "v2")
PROGRESS = ("auto", "bar", "plain", "none")

TIERS = {
    "free": {"v3": 1, "v2": 1},
    "value": {"v3": 2, "v2": 1},
    "standard": {"v3": 4, "v2": 2},
    "pro": {"v3": 8, "v2": 4},
}
"""Requests that each subscription allows under way at once, by generation of the API."""


@dataclass(frozen=True)
class DownloadConfig:
    """One download.

    Attributes:
        symbols: option roots, upper case, at least one, each once.
        start_date: the first trade date.
        end_date: the last trade date, included.
        max_dte: the most calendar days from a trade date to an expiration.
        expirations: exactly these expirations, whatever `max_dte`; empty for all within it.
        interval: the time between two rows of a contract; end of day has none, and says `eod`.
        greeks: the order of Greeks.
        parameters: more of the v3 API's parameters, as (name, value), by name.
        terminal: the Terminal's address, several with commas between them, `embedded` for a
            simulated one, or empty for whichever answers on this machine.
        api: the generation of the API, or `auto` for whichever answers.
        tier: the subscription, which says how many requests may be under way at once.
        concurrency: requests under way at once at each Terminal, and workers of a local runner for
            each; 0 for what the tier allows.
        timeout: seconds without a byte after which an answer counts as broken.
        attempts: the most times one answer is asked for without coming any further.
        retry_seconds: the most time for one answer.
        output: the folder of the data files.
        format: `csv` or `parquet`.
        compression: one of the format's `COMPRESSIONS`.
        batch_size: the most rows in a batch.
        layout: `expiration` for one file each, or `daily` for one for each trade date of each.
        file_name_pattern: names the files inside `output`, without their suffix; empty for the
            layout's own.
        resume: how closely a file that is there is looked at before it is believed: `stat`,
            `hash`, or `off` to fetch everything again.
        retry_empty_after: days after which an expiration without data is asked for again.
        check_disk: whether the files must be expected to fit on the disk.
        metrics: where the run history is: a folder or a database; see `history.open_store`.
        seed: of the embedded Terminal's market.
        progress: how the run is shown while it goes, one of `PROGRESS`.
        progress_seconds: between two plain lines of it.
        check: whether rows are looked at for what can't be right.
        fail_on: what is borne of each finding, as `limits.parse_limits` reads it.
    """

    symbols: tuple[str, ...]
    start_date: date
    end_date: date
    max_dte: int = 30
    expirations: tuple[date, ...] = ()
    interval: str = "5m"
    greeks: str = "first_order"
    parameters: tuple[tuple[str, str], ...] = ()
    terminal: str = ""
    api: str = "auto"
    tier: str = "standard"
    concurrency: int = 0
    timeout: float = 300.0
    attempts: int = 8
    retry_seconds: float = 900.0
    output: str = "data/greeks"
    format: str = "csv"
    compression: str = "none"
    batch_size: int = BATCH_SIZE
    layout: str = BY_EXPIRATION
    file_name_pattern: str = ""
    resume: str = "stat"
    retry_empty_after: float = 7.0
    check_disk: bool = True
    metrics: str = "data/metrics"
    seed: int = 0
    progress: str = "auto"
    progress_seconds: float = 5.0
    check: bool = True
    fail_on: str = ""

    def __post_init__(self) -> None:
        self._check("--symbol", bool(self.symbols), "names no symbol")
        for symbol in self.symbols:
            _named("--symbol", checked_symbol, symbol)
        today = date.today()  # noqa: DTZ011 -- only to refuse what no exchange has seen yet
        self._check(
            "--start_date",
            self.start_date >= FIRST_DATE,
            f"is {self.start_date}; ThetaData's option history begins on {FIRST_DATE}",
        )
        self._check(
            "--end_date",
            self.start_date <= self.end_date,
            f"is {self.end_date}, before --start_date {self.start_date}",
        )
        self._check(
            "--end_date", (self.end_date - today).days <= 1, f"is {self.end_date}, in the future"
        )
        self._check("--max_dte", 0 <= self.max_dte <= 4000, f"is {self.max_dte}, not 0 to 4000")
        late = [day for day in self.expirations if day < self.start_date]
        self._check(
            "--expirations",
            not late,
            f"names {', '.join(map(str, late))}, before --start_date {self.start_date}",
        )
        self._check(
            "--greeks", self.greeks in ORDERS, f"is {self.greeks!r}, not one of {', '.join(ORDERS)}"
        )
        known = (END_OF_DAY,) if self.greeks == END_OF_DAY else INTERVALS
        self._check(
            "--interval",
            self.interval in known,
            f"is {self.interval!r}, not one of {', '.join(known)}",
        )
        for name, value in self.parameters:
            _named(f"--{name}", _PARAMETER_CHECKS[name], value)
        times = dict(self.parameters)
        self._check(
            "--end_time",
            times.get("start_time", "") <= times.get("end_time", "24"),
            "is before --start_time",
        )
        self._check("--api", self.api in APIS, f"is {self.api!r}, not one of {', '.join(APIS)}")
        self._check(
            "--tier", self.tier in TIERS, f"is {self.tier!r}, not one of {', '.join(TIERS)}"
        )
        for url in self.terminals:
            self._check(
                "--terminal",
                is_terminal(url),
                f"is {url!r}, neither an address such as {DEFAULT_URL} nor 'embedded'",
            )
        self._check(
            "--terminal",
            len(set(self.terminals)) == len(self.terminals),
            "names one twice: its limit is for all of its requests",
        )
        self._check(
            "--concurrency",
            0 <= self.concurrency <= 128,
            f"is {self.concurrency}, not 1 to 128, or 0 for the tier's",
        )
        self._check("--attempts", 1 <= self.attempts <= 1000, f"is {self.attempts}, not 1 to 1000")
        self._check(
            "--retry_seconds",
            0 <= self.retry_seconds <= 86400,
            f"is {self.retry_seconds:g}, not 0 to 86400 seconds",
        )
        self._check(
            "--timeout",
            0 < self.timeout <= 86400,
            f"is {self.timeout:g}, not above 0 and at most 86400 seconds",
        )
        self._check(
            "--batch_size",
            1 <= self.batch_size <= 1_000_000,
            f"is {self.batch_size}, not 1 to 1,000,000",
        )
        folders = {"--output": self.output, "--metrics": self.metrics}
        if is_sql(self.metrics):
            del folders["--metrics"]
            self._check(
                "--metrics",
                is_address(self.metrics),
                f"is {redacted(self.metrics)!r}, "
                "neither sqlite:///PATH nor postgresql://HOST/DATABASE",
            )
        for flag, folder in folders.items():
            name = folder.strip().rstrip("/").rpartition("/")[2]
            self._check(flag, name not in ("", ".", ".."), f"is {folder!r}: it names no folder")
        self._check(
            "--output",
            not self.output.rstrip("/").endswith(META),
            f"is {self.output!r}: such a folder has what is known of another one's files",
        )
        inside = os.path.normpath(self.metrics) + "/"
        self._check(
            "--metrics",
            not inside.startswith(os.path.normpath(self.output) + "/"),
            f"is {redacted(self.metrics)!r}, inside --output, which holds only data",
        )
        self._check(
            "--format",
            self.format in COMPRESSIONS,
            f"is {self.format!r}, not one of {', '.join(COMPRESSIONS)}",
        )
        fitting = COMPRESSIONS[self.format]
        self._check(
            "--compression",
            self.compression in fitting,
            f"is {self.compression!r}; {self.format} takes {', '.join(fitting)}",
        )
        self._check(
            "--fail_on",
            self.check or not self.fail_on,
            "asks for a check that --no_check leaves out",
        )
        _named("--fail_on", parse_limits, self.fail_on)
        self._check(
            "--layout",
            self.layout in PATTERNS,
            f"is {self.layout!r}, not one of {', '.join(PATTERNS)}",
        )
        _named("--file_name_pattern", partial(check_pattern, kind=self.layout), self.pattern)
        self._check(
            "--resume", self.resume in PROOFS, f"is {self.resume!r}, not one of {', '.join(PROOFS)}"
        )
        self._check(
            "--retry_empty_after",
            0 <= self.retry_empty_after <= 36500,
            f"is {self.retry_empty_after:g}, not 0 to 36500 days",
        )
        self._check(
            "--progress",
            self.progress in PROGRESS,
            f"is {self.progress!r}, not one of {', '.join(PROGRESS)}",
        )
        self._check(
            "--progress_seconds",
            0 < self.progress_seconds <= 86400,
            f"is {self.progress_seconds:g}, not above 0 and at most 86400",
        )

    @property
    def pattern(self) -> str:
        """The pattern that names the files."""
        return self.file_name_pattern or PATTERNS[self.layout]

    @property
    def terminals(self) -> tuple[str, ...]:
        """The addresses of the Terminals that are named; none for one that is embedded."""
        return () if self.terminal == EMBEDDED else named_terminals(self.terminal)

    def outstanding(self, api: str) -> int:
        """Returns how many requests may be under way at once at a Terminal of a generation."""
        return self.concurrency or TIERS[self.tier][api]

    @staticmethod
    def _check(flag: str, holds: bool, problem: str) -> None:
        if not holds:
            raise ConfigError(f"{flag} {problem}")

    def describe(self) -> dict[str, Any]:
        """Returns the configuration as the run summary keeps it: JSON-ready, under flag names."""
        document = asdict(self)
        document["symbol"] = list(document.pop("symbols"))
        document["parameters"] = dict(self.parameters)
        document["metrics"] = redacted(self.metrics)
        # How a run is shown is nothing that it did.
        del document["progress"], document["progress_seconds"]
        document["expirations"] = [day.isoformat() for day in self.expirations]
        for name in ("start_date", "end_date"):
            document[name] = document[name].isoformat()
        return document


def named_terminals(text: str) -> tuple[str, ...]:
    """Returns the addresses that a `--terminal` names, as it names them; none if it is empty."""
    return tuple(url.strip().rstrip("/") for url in text.split(",")) if text else ()


def is_terminal(text: str) -> bool:
    """Returns whether a text is an address at which a Terminal could answer."""
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return False
    plain = not (url.path.strip("/") or url.query or url.fragment or url.username)
    return url.scheme in ("http", "https") and bool(url.hostname) and plain and port != 0


def _time(text: str) -> None:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{3})?", text):
        raise ValueError(f"{text!r} is not a time of day: HH:MM:SS, in New York")


def _number(text: str) -> None:
    if not math.isfinite(float(text)):
        raise ValueError(f"{text!r} is not a finite number")


def _whole(text: str) -> None:
    if int(text) < 1:
        raise ValueError(f"{text!r} is not 1 or more")


def _rate(text: str) -> None:
    if not re.fullmatch(r"sofr|treasury_[my]\d+", text):
        raise ValueError(f"{text!r} is neither sofr nor treasury_m1 … treasury_y30")


def _version(text: str) -> None:
    if text not in ("latest", "1"):
        raise ValueError(f"{text!r} is neither latest nor 1")


_PARAMETER_CHECKS = {
    "annual_dividend": _number,
    "end_time": _time,
    "rate_type": _rate,
    "rate_value": _number,
    "start_time": _time,
    "strike_range": _whole,
    "version": _version,
}
assert tuple(_PARAMETER_CHECKS) == PARAMETERS  # noqa: S101 -- each has its check


def _named(flag: str, check: Any, value: str) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}") from None
