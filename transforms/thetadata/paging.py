"""An answer in pages, read as if it were one: v2's `Next-Page`."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from transforms.thetadata.errors import BrokenResponse, NoData
from transforms.thetadata.http import Body, Http

_HEADER_BYTES = 1 << 14


class PagedBody:
    """Reads the body of an answer, and then those of its next pages.

    The header line is passed on once, whether the later pages repeat it or not.
    """

    def __init__(self, http: Http, path: str, parameters: Mapping[str, str]) -> None:
        self._http = http
        self._pages = ExitStack()
        self._body = self._pages.enter_context(http.stream(path, parameters))
        self._header = _first_line(self._body)
        self._ends_line = True

    def close(self) -> None:
        """Closes the page that is being read."""
        self._pages.close()

    def read(self, size: int) -> bytes:
        """Returns the next `size` bytes, fewer only at the end of the last page.

        Raises:
            ThetaError: a page is refused or broken; 477 if the Terminal has dropped it.
        """
        read = b""
        while piece := self._body.read(size - len(read)):
            read += piece
            self._ends_line = piece.endswith(b"\n")
            if len(read) == size:
                return read
        while len(read) < size and self._turn():
            # Where a page ends, a line does.
            read += b"" if self._ends_line else b"\n"
            self._ends_line = True
            read += self.read(size - len(read))
        return read

    def _turn(self) -> bool:
        """Opens the next page and returns True, or returns False if there is none."""
        following = self._body.headers.get("Next-Page", "null").strip()
        if following in ("", "null"):
            return False
        self._pages.close()
        try:
            self._body = self._pages.enter_context(self._http.stream(following, {}))
        except NoData as error:
            raise BrokenResponse(f"the page {following} of an answer has no data") from error
        if self._header and _first_line(self._body) == self._header:
            self._body.read(len(self._header))
        return True


def _first_line(body: Body) -> bytes:
    line, end, _ = body.peek(_HEADER_BYTES).partition(b"\n")
    return line + end


@contextmanager
def paged(http: Http, path: str, parameters: Mapping[str, str]) -> Iterator[PagedBody]:
    """Gives the body of an answer and of all its pages, as one.

    Raises:
        ThetaError: as `Http.stream`.
    """
    body = PagedBody(http, path, parameters)
    try:
        yield body
    finally:
        body.close()
