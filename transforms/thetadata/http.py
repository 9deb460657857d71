"""HTTP to a Terminal on this machine or near it: one session, whole or streamed answers."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import requests
import urllib3

from transforms.thetadata.errors import (
    BrokenResponse,
    NoData,
    StatusError,
    TerminalUnreachable,
)

NO_DATA = 472
CONNECT_SECONDS = 10.0
_TEXT_BYTES = 1 << 26  # a list of every expiration is 100 kB; more than 64 MiB is no list


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
    """A session with one Terminal.

    Args:
        base: the Terminal's address, such as `http://127.0.0.1:25503`.
        timeout: seconds to wait for the first byte, and between two bytes, of an answer.

    Not safe for use by several threads at once: make one for each.
    """

    def __init__(self, base: str, timeout: float) -> None:
        self.base = base.rstrip("/")
        self.requests = 0
        self._timeout = (min(CONNECT_SECONDS, timeout), timeout)
        self._session = requests.Session()
        # A proxy from the environment can't reach this machine's Terminal.
        self._session.trust_env = not is_loopback(base)
        # gzip would save nothing on loopback.
        self._session.headers["Accept-Encoding"] = "identity"

    def close(self) -> None:
        """Closes the session's connections."""
        self._session.close()

    def text(self, path: str, parameters: Mapping[str, str]) -> str:
        """Returns the whole body of a small answer.

        Raises:
            TerminalUnreachable: nothing listens at the address.
            BrokenResponse: the answer broke off or timed out.
            StatusError: the Terminal refused; `NoData` for 472.
        """
        with self.stream(path, parameters) as read:
            return read(_TEXT_BYTES).decode("utf-8", errors="replace")

    @contextmanager
    def stream(self, path: str, parameters: Mapping[str, str]) -> Iterator[Callable[[int], bytes]]:
        """Gives `read(n)`, which returns the next `n` bytes of the body, fewer only at its end.

        Raises:
            TerminalUnreachable: nothing listens at the address.
            BrokenResponse: the answer broke off or timed out; `read` raises it too. The end of
                a chunked body, or of one with a Content-Length, is checked.
            StatusError: the Terminal refused; `NoData` for 472.
        """
        url = f"{self.base}{path}" + (f"?{urlencode(parameters)}" if parameters else "")
        self.requests += 1
        try:
            response = self._session.get(url, stream=True, timeout=self._timeout)
        except requests.ConnectTimeout as error:
            raise TerminalUnreachable(_nobody(self.base, "no connection in time")) from error
        except requests.Timeout as error:
            raise BrokenResponse(self._late(url)) from error
        except requests.ConnectionError as error:
            if _refused(error):
                raise TerminalUnreachable(_nobody(self.base, "connection refused")) from error
            raise BrokenResponse(f"the connection broke before an answer to {url}") from error

        def read(size: int) -> bytes:
            try:
                return response.raw.read(size)
            except urllib3.exceptions.ReadTimeoutError as error:
                raise BrokenResponse(self._late(url)) from error
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise BrokenResponse(
                    f"the answer to {url} broke off before its end ({type(error).__name__}); "
                    "nothing of it was kept"
                ) from error

        # Leaving the block closes the connection if the body was not read to its end.
        with response:
            if response.status_code != requests.codes.ok:
                kind = NoData if response.status_code == NO_DATA else StatusError
                raise kind(response.status_code, read(4096).decode(errors="replace"), url)
            yield read

    def _late(self, url: str) -> str:
        return f"no answer to {url} for {self._timeout[1]:g} s: raise --timeout if that is normal"


def _refused(error: requests.ConnectionError) -> bool:
    """Whether no connection was made at all (rather than one that broke)."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _nobody(base: str, why: str) -> str:
    return (
        f"no Theta Terminal answers at {base} ({why}): start the Terminal, or give its address "
        "with --terminal (v3 Terminals listen on port 25503)"
    )
