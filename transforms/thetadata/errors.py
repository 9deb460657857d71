"""What can go wrong between here and the Terminal.

ThetaError
├── TerminalUnreachable     nothing answers, or it has no session with ThetaData
├── BrokenResponse          the answer stopped before its end, or took too long
├── MalformedResponse       the answer is not what was asked for
└── StatusError             the Terminal refused, in its own words
    └── NoData              472: it has nothing for the request
"""


class ThetaError(Exception):
    """Anything that keeps a request from being answered."""


class TerminalUnreachable(ThetaError):
    """Nothing answers at the Terminal's address, or the Terminal is not connected."""


class BrokenResponse(ThetaError):
    """The answer broke off, or did not come within the timeout: its rows can't be trusted."""


class MalformedResponse(ThetaError):
    """The answer came whole, but it is not the CSV that was asked for."""


class Stopped(ThetaError):
    """The caller's stop signal was seen; nothing is wrong with the answer."""


# status -> (name, what to do next), after ThetaData's table of error codes
_STATUSES: dict[int, tuple[str, str]] = {
    400: ("BAD_REQUEST", "the Terminal does not accept a value of the request"),
    403: ("FORBIDDEN", "the subscription does not include it: history of first-order Greeks "
          "needs ThetaData's options Standard"),
    404: ("NO_IMPL", "this Terminal does not know the path: update it"),
    410: ("GONE", "a v3 Terminal was asked in v2 words, or is not the Terminal you meant"),
    429: ("OS_LIMIT", "more requests at once than the subscription allows: lower --concurrency"),
    470: ("GENERAL", "the Terminal's own words say more"),
    471: ("PERMISSION", "the subscription does not include it: history of first-order Greeks "
          "needs ThetaData's options Standard"),
    472: ("NO_DATA", "there is nothing for this request"),
    473: ("INVALID_PARAMS", "the Terminal does not accept a value of the request"),
    474: ("DISCONNECTED", "the Terminal lost ThetaData's servers: wait a little, or restart it"),
    475: ("TERMINAL_PARSE", "the Terminal could not read the request"),
    476: ("WRONG_IP", "use one name for the Terminal's machine, 127.0.0.1 or localhost"),
    478: ("INVALID_SESSION_ID", "a second Terminal is logged in with the account: stop one"),
    570: ("LARGE_REQUEST", "ask for a coarser --interval"),
    571: ("SERVER_STARTING", "the Terminal is still starting: run again in a minute"),
    572: ("UNCAUGHT_ERROR", "the Terminal failed: its log says why"),
}  # fmt: skip


class StatusError(ThetaError):
    """The Terminal answered with an error status.

    Attributes:
        status: the HTTP status.
        text: the Terminal's own words.
    """

    def __init__(self, status: int, text: str, url: str) -> None:
        name, remedy = _STATUSES.get(status, ("", "the Terminal's log may say why"))
        words = " ".join(text.split())[:300] or "(no text)"
        super().__init__(
            f"the Terminal answered {status} {name}".rstrip() + f" to {url}: {words} - {remedy}"
        )
        self.status = status
        self.text = text


class NoData(StatusError):
    """472: the Terminal has no rows for the request. An outcome, not a failure."""
