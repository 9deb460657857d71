"""An answer in pages, read as if it were one: v2's `Next-Page`."""

from collections.abc import Mapping
from contextlib import ExitStack
from urllib.parse import urlsplit

from transforms.thetadata.body import Body
from transforms.thetadata.errors import BrokenResponse, MalformedResponse, NoData
from transforms.thetadata.http import Http

_HEADER_BYTES = 1 << 14
_MOST_PAGES = 100_000
_PATH_CHARACTERS = 200


class PagedBody:
    """Reads the body of an answer, and then those of its next pages.

    The header line is passed on once, whether the later pages repeat it or not. A page is asked
    for at the address that was given for the Terminal, whatever host its URL names: behind a port
    mapping the Terminal does not know how it is reached.

    Attributes:
        proven: whether the end of each page so far is proven; see `Body`.
    """

    def __init__(self, http: Http, path: str, parameters: Mapping[str, str]) -> None:
        self._http = http
        self._pages = ExitStack()
        self._body = self._pages.enter_context(http.stream(path, parameters))
        self._header = _first_line(self._body)
        self._ends_line = True
        self._seen: set[str] = set()
        self.proven = self._body.proven

    def close(self) -> None:
        """Closes the page that is being read."""
        self._pages.close()

    def read(self, size: int) -> bytes:
        """Returns the next `size` bytes, fewer only at the end of the last page.

        Raises:
            ThetaError: a page is refused or broken; 477 if the Terminal has dropped it.
        """
        pieces, left = [], size
        while left:
            piece = self._body.read(left)
            if piece:
                pieces.append(piece)
                left -= len(piece)
                self._ends_line = piece.endswith(b"\n")
            elif not self._turn():
                break
        return b"".join(pieces)

    def _turn(self) -> bool:
        """Opens the next page and returns True, or returns False if there is none."""
        following = self._body.headers.get("Next-Page", "").strip()
        if following.lower() in ("", "null", "none"):
            return False
        if not self._ends_line:
            raise BrokenResponse(f"a page ends in the middle of a line, before page {following!r}")
        path = _path(following)
        if path in self._seen or len(self._seen) == _MOST_PAGES:
            raise MalformedResponse(f"the pages of an answer do not end: {path} follows again")
        self._seen.add(path)
        self._pages.close()
        try:
            self._body = self._pages.enter_context(self._http.stream(path, {}))
        except NoData as error:
            raise BrokenResponse(f"the page {path} of an answer has no data") from error
        self.proven &= self._body.proven
        if self._header and _first_line(self._body) == self._header:
            self._body.read(len(self._header))
        return True


def _path(url: str) -> str:
    """Returns path and query of a page's URL.

    Raises:
        MalformedResponse: it has no path, or is no URL.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if not parts.path.startswith("/") or len(url) > _PATH_CHARACTERS:
        raise MalformedResponse(f"the next page of an answer is {url[:80]!r}, which is no URL")
    return parts.path + (f"?{parts.query}" if parts.query else "")


def _first_line(body: Body) -> bytes:
    line, end, _ = body.peek(_HEADER_BYTES).partition(b"\n")
    return line + end if end else b""
