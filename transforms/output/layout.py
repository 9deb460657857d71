"""How a run names its files: patterns of names, suffixes of formats, and temporary names."""

import string
import uuid
from dataclasses import dataclass
from datetime import date, datetime, timezone
from functools import cache, cached_property

from transforms.model import GreeksRequest
from transforms.output.folder import OutputFolder

COMPRESSIONS = {
    "csv": {"none": ".csv", "gzip": ".csv.gz", "zstd": ".csv.zst"},
    "parquet": {
        "zstd": ".parquet",
        "none": ".parquet",
        "gzip": ".parquet",
        "snappy": ".parquet",
    },
}
"""Each format's compressions, its default first, and the suffix of its files with each.

Here, where nothing imports Beam: a usage error does not wait for it.
"""

BY_EXPIRATION, DAILY = "expiration", "daily"

_NOUNS = {BY_EXPIRATION: "expiration", DAILY: "daily file"}

PATTERNS = {
    BY_EXPIRATION: "{expiration:%Y-%m-%d}/{symbol}_{expiration:%Y%m%d}",
    DAILY: "trade_date={first_trade_date:%Y-%m-%d}/{symbol}_{expiration:%Y%m%d}",
}
"""How each kind of layout names its files: one for each expiration, or one for each trade date of
each expiration. The folder of a trade date names it as readers of partitioned data expect."""

BY_ORDER = "{greeks}/"
"""Begins the names of files where several orders of data are in one folder."""

FIELDS = ("symbol", "expiration", "first_trade_date", "last_trade_date", "interval", "greeks")
"""The fields of a file name pattern; dates take a strftime format, as `{expiration:%Y%m%d}`."""

_SAMPLE = GreeksRequest("SPXW", date(2024, 3, 15), (date(2024, 3, 14),))
_OTHER_DAY = GreeksRequest("SPXW", date(2024, 3, 15), (date(2023, 2, 13),))


def noun_of(kind: str, greeks: str) -> str:
    """Returns what a request makes, as a person counts it.

    Args:
        kind: of the layout: `expiration` or `daily`; any other is taken for the first.
        greeks: the orders of data of all requests, separated by commas.
    """
    return "file" if "," in greeks else _NOUNS.get(kind, _NOUNS[BY_EXPIRATION])


def check_pattern(pattern: str, kind: str = BY_EXPIRATION) -> None:
    """Checks that `pattern` can name files inside the output folder.

    Args:
        pattern: names the files.
        kind: `expiration` or `daily`.

    Raises:
        ValueError: it uses an unknown field, leaves the output folder, makes hidden files, or
            gives two expirations or two symbols, or where it is daily two trade dates, one file.
    """
    try:
        parts = list(string.Formatter().parse(pattern))
    except ValueError as error:
        raise ValueError(f"{pattern!r} is not a file name pattern: {error}") from None
    for _, name, _, conversion in parts:
        if name is not None and (name not in FIELDS or conversion):
            raise ValueError(
                f"{{{name}}} is not a field of a pattern; they are {', '.join(FIELDS)}"
            )
    path = expand(pattern, _SAMPLE)
    # A fixed name for the folder's own use, and what readers of a folder take for hidden.
    if "\\" in path or any(part == "" or part[0] in "._~" for part in path.split("/")):
        raise ValueError(
            f"{pattern!r} makes {path!r}: it must stay inside the output folder, and no part of "
            "it may be empty or begin with a dot, an underscore or a tilde"
        )
    other_symbol = GreeksRequest("SPX", _SAMPLE.expiration, _SAMPLE.trade_dates)
    other_date = GreeksRequest("SPXW", date(2025, 4, 16), _SAMPLE.trade_dates)
    if path in (expand(pattern, other_symbol), expand(pattern, other_date)):
        raise ValueError(
            f"{pattern!r} gives several expirations one file: it must tell apart "
            "symbols and expirations"
        )
    if kind == DAILY and path == expand(pattern, _OTHER_DAY):
        raise ValueError(
            f"{pattern!r} gives several trade dates one file: with --layout daily it must tell "
            "them apart, such as by {first_trade_date:%Y-%m-%d}"
        )


def expand(pattern: str, request: GreeksRequest) -> str:
    """Returns the pattern's path for a request, relative to the output folder.

    Raises:
        ValueError: the pattern can't be filled in.
    """
    try:
        return pattern.format(**{name: getattr(request, name) for name in _fields_of(pattern)})
    except (ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{pattern!r} is not a file name pattern: {error}") from None


@cache
def _fields_of(pattern: str) -> tuple[str, ...]:
    """Returns the fields that a pattern may have: a run names 100,000 files, by two or three."""
    return tuple(name for name in FIELDS if name in pattern)


@dataclass(frozen=True)
class Layout:
    """The paths of one run.

    Attributes:
        output: the folder of the data files; any file system that Beam knows.
        suffix: of every file, such as `.csv.gz`.
        run_id: names the run's temporary folder.
        pattern: names the files; see `check_pattern`.
    """

    output: str
    suffix: str
    run_id: str
    pattern: str = PATTERNS[BY_EXPIRATION]

    @classmethod
    def of_new_run(
        cls, output: str, suffix: str, pattern: str = PATTERNS[BY_EXPIRATION]
    ) -> "Layout":
        """Returns the layout of a run that begins now and has no id of a run history."""
        run_id = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        return cls(output, suffix, run_id, pattern)

    @cached_property
    def folder(self) -> OutputFolder:
        """The output folder."""
        return OutputFolder(self.output)

    @property
    def temporary(self) -> str:
        """The folder of this run's unfinished files."""
        return self.folder.temporary(self.run_id)

    @property
    def summary(self) -> str:
        """Where the graph leaves the run summary for the launcher."""
        return f"{self.temporary}/summary.json"

    def name(self, request: GreeksRequest) -> str:
        """Returns the name of the request's file: its path below the output folder."""
        return expand(self.pattern, request) + self.suffix

    def path(self, request: GreeksRequest) -> str:
        """Returns the path of the request's file."""
        return self.folder.file(self.name(request))

    def temporary_path(self) -> str:
        """Returns a new path for an unfinished file."""
        return f"{self.temporary}/{uuid.uuid4().hex}{self.suffix}"
