"""HTTP to a Terminal on this machine or near it: whole or streamed answers."""

import ipaddress
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from transforms.thetadata.body import FIRST_BYTES, Body, check_encoding, late, slow
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
_BROKEN = (
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)
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
        self._seconds = timeout
        self._timeout = urllib3.Timeout(connect=min(CONNECT_SECONDS, timeout), read=timeout)
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
            pool, address, headers = self._connections
            response = pool.urlopen(
                "GET",
                address + what,
                headers=headers,
                timeout=self._timeout,
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
                decode_content=False,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise self._unanswered(error, url) from error

        try:
            body = Body(response, url, self._seconds, self._stop, self._pace)
            status = response.status
            if "Location" in body.headers and status in REDIRECTS:
                raise StatusError(status, f"it points to {body.headers['Location']!r}", url)
            if status != HTTPStatus.OK:
                kind = NoData if status == NO_DATA else StatusError
                text = body.read(_ERROR_BYTES).decode(errors="replace")
                raise kind(status, text, url, _seconds(body.headers.get("Retry-After")))
            check_encoding(body, url)
            if body.peek(len(_BYTE_ORDER_MARK)) == _BYTE_ORDER_MARK:
                body.read(len(_BYTE_ORDER_MARK))
            start = body.peek(FIRST_BYTES)
            if len(start) < FIRST_BYTES and b"no data" in start.lower():
                raise NoData(NO_DATA, start.decode(errors="replace"), url)
            yield body
        finally:
            # It closes the connection if the body was not read to its end.
            response.close()
            response.release_conn()

    @cached_property
    def _connections(self) -> tuple[Any, str, Mapping[str, str]]:
        """The Terminal's connections, what is asked for before a path, and the headers.

        By requests, which knows proxies, certificates and passwords of the environment. The rest of
        what it does for each request, redirects, cookies and hooks, no Terminal needs.
        """
        session = requests.Session()
        # A proxy from the environment can't reach this machine's Terminal.
        session.trust_env = not is_loopback(self.base)
        # gzip would save nothing on loopback.
        session.headers["Accept-Encoding"] = "identity"
        request = session.prepare_request(requests.Request("GET", self.base))
        settings: Any = session.merge_environment_settings(request.url, {}, None, None, None)
        verify, proxies, cert = (settings[name] for name in ("verify", "proxies", "cert"))
        pool = self._adapter.get_connection_with_tls_context(request, verify, proxies, cert)
        self._adapter.cert_verify(pool, request.url, verify, cert)  # type: ignore[no-untyped-call]  # -- theirs
        address = self._adapter.request_url(request, proxies)
        return pool, address.rstrip("/"), request.headers

    def _unanswered(self, error: Exception, url: str) -> Exception:
        """Returns why no answer began."""
        refused = isinstance(error, urllib3.exceptions.NewConnectionError)
        if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
            if isinstance(error, urllib3.exceptions.ConnectTimeoutError):
                return TerminalUnreachable(_nobody(self.base, "no connection in time"))
            return late(url, self._seconds)
        if self._stop.is_set():
            return Stopped("asked to stop")
        if refused:
            return TerminalUnreachable(_nobody(self.base, "connection refused"))
        if self._pace.too_slow:
            return slow(url, self._pace)
        if isinstance(error, _BROKEN):
            return BrokenResponse(f"the connection broke before an answer to {url}")
        return BrokenResponse(f"no HTTP came back from {url}: {error}")


def _seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After header; a date there is not worth a clock's trouble."""
    try:
        seconds = float(retry_after or "")
    except ValueError:
        return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _nobody(base: str, why: str) -> str:
    return f"no Theta Terminal answers at {base} ({why}): {START}"
