"""Where the files go, in which form, and what becomes of those that exist."""

import os
from dataclasses import dataclass
from functools import partial
from typing import Any

from pipeline.addresses import is_address, is_sql
from pipeline.config.checks import between, folder_problem
from pipeline.config.selection import orders_of
from pipeline.config.setting import Switch, setting
from transforms.output.folder import META, PRICES
from transforms.output.layout import BY_EXPIRATION, BY_ORDER, COMPRESSIONS, PATTERNS, check_pattern
from transforms.output.resume import OFF, PROOFS, STAT, Resume
from transforms.text.secrets import redacted
from transforms.thetadata.client import BATCH_SIZE

_setting = partial(setting, group="output")
_of_existing = partial(setting, group="existing files")


def _check_output(folder: str, _config: Any) -> str:
    for end, what in ((META, "manifest"), (PRICES, "prices")):
        if folder.rstrip("/").endswith(end):
            return f"is {redacted(folder)!r}: such a folder holds the {what} of another folder"
    return folder_problem(folder)


def _check_compression(compression: str, config: Any) -> str:
    known = COMPRESSIONS[config.format]
    if compression in known:
        return ""
    return f"is {compression!r}; {config.format} takes {', '.join(known)}"


def _check_prices(wanted: bool, config: Any) -> str:
    if not wanted or any(order.has_underlying for order in orders_of(config)):
        return ""
    return f"does not apply to --greeks {config.greeks}, whose rows lack the underlying's price"


def _check_pattern(pattern: str, config: Any) -> str:
    check_pattern(pattern or PATTERNS[config.layout], config.layout)
    if pattern and "," in config.greeks and not pattern.startswith(BY_ORDER):
        return f"is {pattern!r}: with several orders of data it must begin with {BY_ORDER}"
    return ""


def metrics_problem(metrics: str) -> str:
    """Returns the problem of a run history's address, or an empty text."""
    if not is_sql(metrics):
        return folder_problem(metrics)
    if is_address(metrics):
        return ""
    return (
        f"is {redacted(metrics)!r}, neither sqlite:///PATH nor postgresql://HOST/DATABASE (in a "
        "password, @ is written %40)"
    )


def _check_metrics(metrics: str, config: Any) -> str:
    inside = os.path.normpath(metrics) + "/"
    if inside.startswith(os.path.normpath(config.output) + "/"):
        return f"is {redacted(metrics)!r}, inside --output, which holds only data files"
    return metrics_problem(metrics)


@dataclass(frozen=True)
class OutputSettings:
    """Settings of where the files go, and in which form."""

    output: str = _setting(
        "data/greeks",
        "folder of the data files",
        metavar="FOLDER",
        check=_check_output,
    )
    format: str = _setting(
        "csv",
        "format of the data files",
        choices=tuple(COMPRESSIONS),
    )
    compression: str = _setting(
        "none",
        "compression of the data files; "
        + "; ".join(f"{name}: {', '.join(known)}" for name, known in COMPRESSIONS.items()),
        choices=tuple(dict.fromkeys(each for known in COMPRESSIONS.values() for each in known)),
        check=_check_compression,
        implied=lambda config: next(iter(COMPRESSIONS[config.format])),
        default_text="the first",
    )
    batch_size: int = _setting(
        BATCH_SIZE,
        "maximum number of rows in a batch",
        metavar="ROWS",
        check=between(1, 1_000_000),
    )
    layout: str = _setting(
        BY_EXPIRATION,
        "expiration: one file per expiration; daily: one file per expiration and trade date, "
        "so that tomorrow's run adds files",
        choices=tuple(PATTERNS),
    )
    file_name_pattern: str = _setting(
        "",
        "names of the data files, see below",
        metavar="PATTERN",
        check=_check_pattern,
        default_text="; ".join(f"{kind}: {own}" for kind, own in PATTERNS.items())
        + f"; below {BY_ORDER} with several orders of data",
    )
    underlying_prices: bool = _setting(
        False,
        check=_check_prices,
        switches=(
            Switch(
                "underlying_prices",
                True,
                "at the run's end, also write the underlying's prices, each once, in a small file "
                "for each symbol and trade date, in OUTPUT.underlying",
            ),
        ),
    )
    metrics: str = _setting(
        "data/metrics",
        "run history: a folder or URL of JSON files, sqlite:///PATH, or "
        "postgresql://USER@HOST/DATABASE",
        metavar="WHERE",
        check=_check_metrics,
    )
    check_disk: bool = _setting(
        True,
        switches=(
            Switch(
                "no_disk_check",
                False,
                "start even if the files are not expected to fit on the disk",
            ),
        ),
    )


@dataclass(frozen=True)
class ExistingFilesSettings:
    """Settings for the files of earlier runs."""

    resume: str = _of_existing(
        STAT,
        "how an existing file of the same request is checked before it is skipped: stat: by "
        "its size; hash: by its SHA-256; off: not at all, everything is downloaded again",
        choices=PROOFS,
        switches=(
            Switch(
                "overwrite",
                OFF,
                "download existing files again, as --resume off does; files of other requests stay",
            ),
        ),
    )
    retry_empty_after: float = _of_existing(
        Resume.retry_empty_after,
        "time after which an expiration without data is requested again, and during which each "
        "run requests a file again that lacks trade dates after its first one",
        metavar="DAYS",
        check=between(0, 36500, "days"),
    )
