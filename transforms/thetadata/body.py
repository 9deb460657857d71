"""The body of an answer, read as it comes, and what proves its end."""

from collections.abc import Mapping
from http.client import HTTPException

import urllib3

from transforms.thetadata.errors import BrokenResponse, MalformedResponse, Stopped
from transforms.thetadata.sockets import Pace
from transforms.workers.stop import Stop

FIRST_BYTES = 200
"""Looked at before an answer is passed on: a sentence, of which no header is that short."""

UNPROVEN = (
    "nothing proves that the answer is whole: it has neither a Content-Length nor chunks, and two "
    "answers that are equal were not received"
)
"""The error of an answer that may have ended early."""


class Body:
    """The body of an answer that is being read, without a byte order mark at its start.

    Attributes:
        headers: of the answer, by name in any case.
        proven: whether the end of the body is proven when it is reached: by its Content-Length or
            by its chunks. Without them the end of the connection looks like the end of the body.
    """

    def __init__(
        self, response: urllib3.HTTPResponse, url: str, timeout: float, stop: Stop, pace: Pace
    ) -> None:
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.proven = chunked or response.length_remaining is not None
        self._url = url
        self._timeout = timeout
        self._stop = stop
        self._pace = pace
        self._ahead = b""

    def read(self, size: int) -> bytes:
        """Returns the next `size` bytes, fewer only at the end of the body.

        Raises:
            BrokenResponse: the body broke off, by its framing or its Content-Length, there
                was no byte for too long, or it comes too slowly.
            Stopped: the caller asked to stop.
        """
        if self._stop.is_set():
            raise Stopped("asked to stop")
        ahead, self._ahead = self._ahead[:size], self._ahead[size:]
        if len(ahead) == size:
            return ahead
        try:
            read = ahead + bytes(self._response.read(size - len(ahead)))
        except urllib3.exceptions.ReadTimeoutError as error:
            raise late(self._url, self._timeout) from error
        except (urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as error:
            if self._stop.is_set():
                raise Stopped("asked to stop") from error
            if self._pace.too_slow:
                raise slow(self._url, self._pace) from error
            raise BrokenResponse(
                f"the answer to {self._url} broke off before its end ({type(error).__name__})"
            ) from error
        if len(read) < size and self._stop.is_set():
            # Woken, an answer that has no length and no chunks would seem to have ended.
            raise Stopped("asked to stop")
        return read

    def peek(self, size: int) -> bytes:
        """Returns what `read(size)` would, and leaves it to be read.

        Raises:
            BrokenResponse: as `read`.
        """
        self._ahead = self.read(size) + self._ahead
        return self._ahead[:size]


def check_encoding(body: Body, url: str) -> None:
    """Checks that a body comes as it is.

    To expand a compressed body takes any amount of memory, and saves nothing near the Terminal.

    Raises:
        MalformedResponse: it is compressed.
    """
    coding = body.headers.get("Content-Encoding", "identity").strip().lower() or "identity"
    transfer = body.headers.get("Transfer-Encoding", "chunked").strip().lower()
    if (coding, transfer) == ("identity", "chunked"):
        if not body.peek(FIRST_BYTES).startswith(b"\x1f\x8b"):
            return
        coding = "gzip"
    raise MalformedResponse(
        f"the answer to {url} is compressed ({(coding if transfer == 'chunked' else transfer)!r}), "
        "although it was asked for as plain text: is there a proxy before the Terminal? Give the "
        "Terminal's own address with --terminal"
    )


def late(url: str, seconds: float) -> BrokenResponse:
    """Returns the error of an answer of which no byte came in time."""
    return BrokenResponse(
        f"no byte of the answer to {url} for {seconds:g} s: raise --timeout if that is normal"
    )


def slow(url: str, pace: Pace) -> BrokenResponse:
    """Returns the error of an answer that does not keep its pace."""
    return BrokenResponse(
        f"the answer to {url} comes too slowly: it was waited for {pace.seconds:g} s, and brought "
        "less than 64 KiB: raise --retry_seconds if that is normal"
    )
