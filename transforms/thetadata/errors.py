"""What can go wrong between here and the Terminal.

ThetaError
├── TerminalUnreachable     nothing answers, or it has no session with ThetaData
├── BrokenResponse          the answer stopped before its end, or took too long
├── MalformedResponse       the answer is not what was asked for
├── AnswerChanged           a second answer differs from what was passed on of the first
├── StatusError             the Terminal refused, in its own words
│   └── NoData              472: it has nothing for the request
├── NotServed               this generation of the Terminal does not have what was asked for
└── Stopped                 the caller asked to stop
"""

from transforms.orders import ORDERS
from transforms.text.foreign import on_a_line
from transforms.text.secrets import hide


class ThetaError(Exception):
    """Anything that keeps a request from being answered.

    Attributes:
        retryable: whether the same request may well be answered if it is sent again.
        retry_after: seconds that the Terminal asked to wait before, or None.
        of_terminal: whether the Terminal itself fails, whatever it is asked.
    """

    retryable = False
    of_terminal = False
    retry_after: float | None = None

    def __init__(self, message: str) -> None:
        # Much of it is the server's, or repeats an address.
        super().__init__(on_a_line(hide(message)))


class TerminalUnreachable(ThetaError):
    """Nothing answers at the Terminal's address, or the Terminal is not connected."""

    retryable = True
    of_terminal = True


class BrokenResponse(ThetaError):
    """The answer broke off, or did not come within the timeout: its rows can't be trusted."""

    retryable = True


class MalformedResponse(ThetaError):
    """The answer came whole, but it is not the CSV that was asked for."""

    retryable = True


class AnswerChanged(ThetaError):
    """A second answer differs from the rows that were passed on of the first: start over."""

    retryable = True


class NotServed(ThetaError):
    """This generation of the Terminal does not have what was asked for."""


class Stopped(ThetaError):
    """The caller's stop signal was seen; nothing is wrong with the answer."""


def _needed() -> str:
    """Returns which subscription each order needs."""
    tiers: dict[str, list[str]] = {}
    for order in ORDERS.values():
        tiers.setdefault(order.tier, []).append(order.name)
    return "; ".join(
        f"{', '.join(names)} {'need' if len(names) > 1 else 'needs'} {tier}"
        for tier, names in tiers.items()
    )


_SUBSCRIPTION = (
    f"the subscription does not include it: of --greeks, {_needed()}. With first_order, --derive "
    "computes the Greeks of the higher orders"
)
_REDIRECT = (
    "REDIRECT",
    "redirects are not followed: give the Terminal's own address with --terminal",
)
REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Statuses that point to another address."""

START = (
    "start the Terminal, or give its address with --terminal (v3 Terminals listen on port 25503, "
    "v2 Terminals on 25510)"
)
"""What to do where nothing answers."""

_VALUE = "the Terminal does not accept a value of the request"

# status -> (name, what to do next), after ThetaData's table of error codes
_STATUSES: dict[int, tuple[str, str]] = {
    **dict.fromkeys(REDIRECTS, _REDIRECT),
    400: ("BAD_REQUEST", _VALUE),
    403: ("FORBIDDEN", _SUBSCRIPTION),
    404: ("NO_IMPL", "this Terminal does not know the path: update it, or choose another --api"),
    410: ("GONE", "this is a v3 Terminal, and was asked in v2 words: use --api v3"),
    429: ("OS_LIMIT", "more requests at once than the subscription allows: lower --concurrency"),
    470: ("GENERAL", "the Terminal's own words say more"),
    471: ("PERMISSION", _SUBSCRIPTION),
    472: ("NO_DATA", "there is nothing for this request"),
    473: ("INVALID_PARAMS", _VALUE),
    474: ("DISCONNECTED", "the Terminal lost ThetaData's servers: wait a little, or restart it"),
    475: ("TERMINAL_PARSE", "the Terminal could not read the request"),
    476: ("WRONG_IP", "use one name for the Terminal's machine, 127.0.0.1 or localhost"),
    477: (
        "NO_PAGE_FOUND",
        "the Terminal dropped a page before it was fetched: lower --concurrency",
    ),
    478: ("INVALID_SESSION_ID", "a second Terminal is logged in with the account: stop one"),
    500: ("INTERNAL_ERROR", "the Terminal's log may say why"),
    570: ("LARGE_REQUEST", "ask for a coarser --interval"),
    571: ("SERVER_STARTING", "the Terminal is still starting: run again in a minute"),
    572: ("UNCAUGHT_ERROR", "the Terminal failed: its log says why"),
}

RETRYABLE_STATUSES = frozenset({429, 474, 477, 500, 502, 503, 504, 571, 572})
"""Statuses that pass by themselves; every other one is final."""

_OF_TERMINAL = frozenset({474, 478, 571})
"""Statuses of the Terminal's own state, whatever was requested."""


class StatusError(ThetaError):
    """The Terminal answered with an error status.

    Attributes:
        status: the HTTP status.
        text: the Terminal's own words.
    """

    def __init__(self, status: int, text: str, url: str, retry_after: float | None = None) -> None:
        name, remedy = _STATUSES.get(status, ("", "the Terminal's log may say why"))
        words = " ".join(text.split())[:300] or "(no text)"
        super().__init__(
            f"the Terminal answered {status} {name}".rstrip() + f" to {url}: {words} - {remedy}"
        )
        self.status = status
        self.text = text
        self.retryable = status in RETRYABLE_STATUSES
        self.of_terminal = status in _OF_TERMINAL
        self.retry_after = retry_after


class NoData(StatusError):
    """472: the Terminal has no rows for the request. An outcome, not a failure."""
