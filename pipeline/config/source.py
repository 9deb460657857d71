"""Which Theta Terminal the data comes from, and how many requests are sent at once."""

import re
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from pipeline.config.checks import above_zero, between
from pipeline.config.setting import setting
from transforms.text.secrets import redacted
from transforms.thetadata.client import DEFAULT_URL
from transforms.thetadata.retry import RetryPolicy

EMBEDDED = "embedded"

LOCAL_URLS = (DEFAULT_URL, "http://127.0.0.1:25510")
"""Where Terminals listen on this machine: v3, then v2."""

APIS = ("auto", "v3", "v2")

TIERS = {
    "free": {"v3": 1, "v2": 1},
    "value": {"v3": 2, "v2": 1},
    "standard": {"v3": 4, "v2": 2},
    "pro": {"v3": 8, "v2": 4},
}
"""Concurrent requests that each subscription allows, by generation of the API."""

_setting = partial(setting, group="source")


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


def terminal_problem(text: str, _config: Any = None) -> str:
    """Returns the problem of a `--terminal`, or an empty text."""
    if text in ("", EMBEDDED):
        return ""
    urls = named_terminals(text)
    for url in urls:
        if not is_terminal(url):
            bare = re.fullmatch(r"localhost|[^/]*[.:][^/]*", url)
            if bare and is_terminal(f"http://{url}"):
                return f"is {redacted(url)!r}, without a scheme: did you mean http://{url}?"
            return f"is {redacted(url)!r}, neither an address such as {DEFAULT_URL} nor 'embedded'"
    if len(set(urls)) < len(urls):
        return "names one twice: its limit is for all of its requests"
    return ""


def _check_seed(seed: int, _config: Any) -> str:
    return "" if seed >= 0 else f"is {seed}, not 0 or more"


def _limits(api: str) -> str:
    return f"{api} {', '.join(str(limits[api]) for limits in TIERS.values())}"


@dataclass(frozen=True)
class SourceSettings:
    """Settings of where the data comes from."""

    terminal: str = _setting(
        "",
        "address of the Theta Terminal, or of several, separated by commas, which share the "
        f"work, each with its own limit; or '{EMBEDDED}' for a simulated market",
        metavar="URL[,URL]",
        check=terminal_problem,
        default_text=f"{' or '.join(LOCAL_URLS)}, whichever answers",
    )
    api: str = _setting(
        "auto",
        "generation of the API; auto: whichever answers",
        choices=APIS,
    )
    tier: str = _setting(
        "standard",
        f"subscription, which limits the concurrent requests: {_limits('v3')}; {_limits('v2')}",
        choices=tuple(TIERS),
    )
    concurrency: int = _setting(
        0,
        "number of concurrent requests at each Terminal",
        metavar="N",
        check=between(0, 128, note=", where 0 is the limit of --tier"),
        default_text="the limit of --tier",
    )
    timeout: float = _setting(
        300.0,
        "maximum time without a byte, after which an answer counts as broken",
        metavar="SECONDS",
        check=above_zero(86400, "seconds"),
    )
    attempts: int = _setting(
        RetryPolicy.attempts,
        "maximum number of attempts at one answer without progress, after it broke off, timed "
        "out or was refused temporarily",
        metavar="N",
        check=between(1, 1000),
    )
    retry_seconds: float = _setting(
        RetryPolicy.seconds,
        "maximum time for one answer, retries included",
        metavar="SECONDS",
        check=between(0, 86400, "seconds"),
    )
    seed: int = _setting(
        0,
        "random seed of the simulated market",
        metavar="N",
        check=_check_seed,
    )
