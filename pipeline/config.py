"""What one download is asked to do: a frozen value, validated once."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from transforms.layout import DEFAULT_PATTERN, check_pattern
from transforms.model import INTERVALS, checked_symbol
from transforms.thetadata.client import BATCH_SIZE, DEFAULT_URL

EMBEDDED = "embedded"
FIRST_DATE = date(2012, 6, 1)
"""ThetaData's option history begins here."""

# Here and not only in sinks.py, so that a usage error needs no import of Beam.
COMPRESSIONS = {
    "csv": ("none", "gzip", "zstd"),
    "parquet": ("zstd", "none", "gzip", "snappy"),
}
"""Each format's compressions, its default first."""


class ConfigError(ValueError):
    """A flag has a value that can't be used. The message begins with the flag."""


@dataclass(frozen=True)
class DownloadConfig:
    """One download.

    Attributes:
        symbols: option roots, upper case, at least one, each once.
        start_date: the first trade date.
        end_date: the last trade date, included.
        max_dte: the most calendar days from a trade date to an expiration.
        expirations: exactly these expirations, whatever `max_dte`; empty for all within it.
        interval: the time between two rows of a contract.
        terminal: the Terminal's address, or `embedded` for a simulated one.
        concurrency: requests under way at once, and workers of a local runner.
        timeout: seconds without a byte after which an answer counts as broken.
        output: the folder of the data files.
        format: `csv` or `parquet`.
        compression: one of the format's `COMPRESSIONS`.
        batch_size: the most rows in a batch.
        file_name_pattern: names the files inside `output`, without their suffix.
        metrics: the folder of the run summaries.
        seed: of the embedded Terminal's market.
    """

    symbols: tuple[str, ...]
    start_date: date
    end_date: date
    max_dte: int = 30
    expirations: tuple[date, ...] = ()
    interval: str = "5m"
    terminal: str = DEFAULT_URL
    concurrency: int = 4
    timeout: float = 300.0
    output: str = "data/greeks"
    format: str = "csv"
    compression: str = "none"
    batch_size: int = BATCH_SIZE
    file_name_pattern: str = DEFAULT_PATTERN
    metrics: str = "data/metrics"
    seed: int = 0

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
        self._check("--interval", self.interval in INTERVALS, f"is {self.interval!r}, "
                    f"not one of {', '.join(INTERVALS)}")  # fmt: skip
        if self.terminal != EMBEDDED:
            url = urlsplit(self.terminal)
            self._check(
                "--terminal",
                url.scheme in ("http", "https") and bool(url.hostname) and not url.path.strip("/"),
                f"is {self.terminal!r}, neither an address such as {DEFAULT_URL} nor 'embedded'",
            )
        self._check("--concurrency", 1 <= self.concurrency <= 128,
                    f"is {self.concurrency}, not 1 to 128")  # fmt: skip
        self._check("--timeout", 0 < self.timeout <= 86400,
                    f"is {self.timeout:g}, not above 0 and at most 86400 seconds")  # fmt: skip
        self._check("--batch_size", 1 <= self.batch_size <= 1_000_000,
                    f"is {self.batch_size}, not 1 to 1,000,000")  # fmt: skip
        self._check("--output", bool(self.output.strip("/ ")), "names no folder")
        self._check("--metrics", bool(self.metrics.strip("/ ")), "names no folder")
        self._check("--format", self.format in COMPRESSIONS,
                    f"is {self.format!r}, not one of {', '.join(COMPRESSIONS)}")  # fmt: skip
        known = COMPRESSIONS[self.format]
        self._check(
            "--compression",
            self.compression in known,
            f"is {self.compression!r}; {self.format} takes {', '.join(known)}",
        )
        _named("--file_name_pattern", check_pattern, self.file_name_pattern)

    @staticmethod
    def _check(flag: str, holds: bool, problem: str) -> None:
        if not holds:
            raise ConfigError(f"{flag} {problem}")

    def describe(self) -> dict[str, Any]:
        """Returns the configuration as the run summary keeps it: JSON-ready, under flag names."""
        document = asdict(self)
        document["symbol"] = list(document.pop("symbols"))
        document["expirations"] = [day.isoformat() for day in self.expirations]
        for name in ("start_date", "end_date"):
            document[name] = document[name].isoformat()
        return document


def _named(flag: str, check: Any, value: str) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ConfigError(f"{flag}: {error}") from None
