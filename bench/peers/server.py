"""A v3 Terminal of canned answers: `python -m bench.peers.server FOLDER LATENCY`.

It prints its address, and ends when its standard input does. The kernel copies files to sockets:
about 0.1 s of a processor for a gigabyte.
"""

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bench.peers.work import SYMBOL

STRIKES = 250


class Handler(BaseHTTPRequestHandler):
    """Answers from the files of `folder`."""

    protocol_version = "HTTP/1.1"
    folder: Path
    latency: float

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(6, 1, 1)  # TCP_NODELAY: the header goes ahead of the file

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if "/history/" in url.path:
            time.sleep(self.latency)
            self._file(self.folder / f"{asked['expiration']}_{asked['date']}.csv")
        elif url.path.endswith("/status"):
            self._text(200, "CONNECTED")
        elif url.path.endswith("/list/expirations"):
            days = sorted({path.name[:10] for path in self.folder.iterdir()})
            lines = [f'"{SYMBOL}","{day}"' for day in days]
            self._text(200, "\n".join(['"symbol","expiration"', *lines, ""]))
        elif url.path.endswith("/list/strikes"):
            lines = [f'"{SYMBOL}",{4000 + 5 * n}.000' for n in range(STRIKES)]
            self._text(200, "\n".join(['"symbol","strike"', *lines, ""]))
        elif url.path.endswith("/year_holidays"):
            self._text(200, "date,type,open,close\n2024-01-01,full_close,,\n")
        elif url.path == "/stats":
            self._text(200, '{"stand_in": true, "seed": 0}')
        else:
            self._text(404, "not here")

    def _text(self, status: int, text: str) -> None:
        body = text.encode()
        self._head(status, len(body))
        self.wfile.write(body)

    def _file(self, path: Path) -> None:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._head(200, size)
            sent = 0
            while sent < size:
                sent += os.sendfile(self.connection.fileno(), file.fileno(), sent, size - sent)

    def _head(self, status: int, size: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    Handler.folder, Handler.latency = Path(sys.argv[1]), float(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
