"""What the tests of the stand-in read it with."""

import csv
import http.client
import io
from urllib.parse import urlencode, urlsplit

from pipeline.simulator.server import TerminalServer


class Reply:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()
        self.text = self.body.decode()

    @property
    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text)))


def get(terminal: TerminalServer, path: str, parameters: dict[str, str] | None = None) -> Reply:
    connection = http.client.HTTPConnection(urlsplit(terminal.url).netloc, timeout=30)
    try:
        connection.request("GET", f"{path}?{urlencode(parameters or {})}")
        return Reply(connection.getresponse())
    finally:
        connection.close()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
