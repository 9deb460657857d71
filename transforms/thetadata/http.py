"""HTTP to a Terminal on this machine or near it: whole or streamed answers."""

import ipaddress
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from transforms.thetadata.body import Body, check_encoding, late, slow
from transforms.thetadata.errors import (
    REDIRECTS,
    START,
    BrokenResponse,
    MalformedResponse,
    NoData,
    StatusError,
    Stopped,
    TerminalUnreachable,
)
from transforms.thetadata.sockets import Pace, WakeableAdapter
from transforms.workers.stop import Stop

NO_DATA = 472
CONNECT_SECONDS = 10.0
_ERROR_BYTES = 4096
_NO_DATA_BYTES = 200  # a 200 that says "No data" is a sentence, and no header is that short
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def is_loopback(url: str) -> bool:
    """Returns whether `url` names this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Http:
    """Requests to one Terminal, at one address: redirects are not followed.

    Args:
        base: the Terminal's address, such as `http://127.0.0.1:25503`.
        timeout: seconds to wait for the first byte, and between two bytes, of an answer.
        stop: ends all waiting, also for the first byte.
        patience: the most seconds of waiting for each 64 KiB of an answer.
        heard: called whenever bytes of an answer have come.

    Attributes:
        base: the address, without a slash at its end.
        requests: how many were sent.

    Not safe for use by several threads at once: make one for each.
    """

    def __init__(
        self,
        base: str,
        timeout: float,
        stop: Stop,
        patience: float,
        heard: Callable[[], None],
    ) -> None:
        self.base = base.rstrip("/")
        self.requests = 0
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._pace = Pace(patience, heard)
        self._adapter = WakeableAdapter(self._pace)
        self._stop = stop
        stop.register(self._adapter.wake)

    def close(self) -> None:
        """Closes the connections."""
        self._stop.unregister(self._adapter.wake)
        self._adapter.close()

    def text(self, path: str, parameters: Mapping[str, str], most: int) -> tuple[str, bool]:
        """Returns the whole body of a small answer, and whether its end is proven.

        Args:
            path: below the Terminal's address.
            parameters: of the query.
            most: the most bytes that such an answer may have.

        Raises:
            MalformedResponse: it has more.
            ThetaError: as `stream`.
        """
        with self.stream(path, parameters) as body:
            text = body.read(most + 1)
            if len(text) > most:
                raise MalformedResponse(
                    f"the answer to {self.base}{path} has more than {most:,} bytes, which no "
                    "such answer has: is this address a Theta Terminal's?"
                )
            return text.decode("utf-8", errors="replace"), body.proven

    @contextmanager
    def stream(self, path: str, parameters: Mapping[str, str]) -> Iterator[Body]:
        """Gives the body of an answer.

        Args:
            path: below the Terminal's address.
            parameters: of the query.

        Raises:
            TerminalUnreachable: nothing listens at the address.
            BrokenResponse: the answer broke off, timed out or comes too slowly.
            MalformedResponse: the body is compressed, although that was not asked for.
            NoData: status 472, or a 200 with a sentence instead of rows.
            StatusError: the Terminal refused, or redirects to another address.
            Stopped: the caller asked to stop.
        """
        if self._stop.is_set():
            raise Stopped("asked to stop")
        what = f"{path}?{urlencode(parameters)}" if parameters else path
        url = f"{self.base}{what}"
        self.requests += 1
        self._pace.begin()
        try:
            response = self._get(what)
        except requests.ConnectTimeout as error:
            raise TerminalUnreachable(_nobody(self.base, "no connection in time")) from error
        except requests.Timeout as error:
            raise late(url, self._timeout[1]) from error
        except requests.ConnectionError as error:
            if self._stop.is_set():
                raise Stopped("asked to stop") from error
            if _refused(error):
                raise TerminalUnreachable(_nobody(self.base, "connection refused")) from error
            if self._pace.too_slow:
                raise slow(url, self._pace) from error
            raise BrokenResponse(f"the connection broke before an answer to {url}") from error
        except requests.RequestException as error:
            raise BrokenResponse(f"no HTTP came back from {url}: {error}") from error

        # Leaving the block closes the connection if the body was not read to its end.
        with response:
            body = Body(response, url, self._timeout[1], self._stop, self._pace)
            status = response.status_code
            if "Location" in body.headers and status in REDIRECTS:
                raise StatusError(status, f"it points to {body.headers['Location']!r}", url)
            if status != requests.codes.ok:
                kind = NoData if status == NO_DATA else StatusError
                text = body.read(_ERROR_BYTES).decode(errors="replace")
                raise kind(status, text, url, _seconds(body.headers.get("Retry-After")))
            check_encoding(body, url)
            if body.peek(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK:
                body.read(len(_BYTE_ORDER_MARK))
            start = body.peek(_NO_DATA_BYTES)
            if len(start) < _NO_DATA_BYTES and b"no data" in start.lower():
                raise NoData(NO_DATA, start.decode(errors="replace"), url)
            yield body

    def _get(self, what: str) -> requests.Response:
        # Not by a session: it follows redirects, keeps cookies, and makes each request anew.
        request, base, settings = self._prepared
        request.url = base + what
        return self._adapter.send(request, timeout=self._timeout, **settings)

    @cached_property
    def _prepared(self) -> tuple[requests.PreparedRequest, str, dict[str, Any]]:
        """The request but for its path, the address before that, and what else it is sent with."""
        session = requests.Session()
        # A proxy from the environment can't reach this machine's Terminal.
        session.trust_env = not is_loopback(self.base)
        # gzip would save nothing on loopback.
        session.headers["Accept-Encoding"] = "identity"
        request = session.prepare_request(requests.Request("GET", self.base))
        url = request.url or self.base
        settings = session.merge_environment_settings(url, {}, True, None, None)
        return request, url.rstrip("/"), dict(settings)


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After header; a date there is not worth a clock's trouble."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _refused(error: requests.ConnectionError) -> bool:
    """Whether no connection was made at all (rather than one that broke)."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _nobody(base: str, why: str) -> str:
    return f"no Theta Terminal answers at {base} ({why}): {START}"
