"""A Terminal of canned answers: `python -m bench.peers.server FOLDER LATENCY`.

It speaks v3 and v2; the folder has answers of one of them. It prints its address, and ends when its
standard input does. The kernel copies files to sockets: about 0.1 s of a processor for a gigabyte.
"""

import os
import sys
import threading
import time
from collections.abc import Mapping
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
        v2 = url.path.startswith("/v2/")
        if "/history/" in url.path:
            self._page(f"{asked['expiration']}_{asked['date']}", 0)
        elif "/bulk_hist/" in url.path:
            self._page(f"{asked['exp']}_{asked['start_date']}", 0)
        elif url.path.startswith("/v2/page/"):
            name, _, number = url.path.rpartition("/")[2].rpartition("_")
            self._page(name, int(number))
        elif url.path.endswith("/status"):
            self._text(200, "CONNECTED")
        elif url.path.endswith("/list/expirations"):
            days = sorted({path.name.partition("_")[0] for path in self.folder.iterdir()})
            lines = days if v2 else [f'"{SYMBOL}","{day}"' for day in days]
            header = "date" if v2 else '"symbol","expiration"'
            self._text(200, "\n".join([header, *lines, ""]))
        elif url.path.endswith("/list/strikes"):
            strikes = [4000 + 5 * n for n in range(STRIKES)]
            lines = [f"{each}000" if v2 else f'"{SYMBOL}",{each}.000' for each in strikes]
            self._text(200, "\n".join(["strike" if v2 else '"symbol","strike"', *lines, ""]))
        elif url.path.endswith("/year_holidays"):
            self._text(200, "date,type,open,close\n2024-01-01,full_close,,\n")
        elif url.path == "/stats":
            self._text(200, '{"stand_in": true, "seed": 0}')
        else:
            self._text(404, "not here")

    def _text(self, status: int, text: str) -> None:
        body = text.encode()
        self._head(status, len(body), {})
        self.wfile.write(body)

    def _page(self, name: str, number: int) -> None:
        time.sleep(self.latency)
        following = f"{name}_{number + 1}"
        more = {}
        if (self.folder / f"{following}.csv").exists():
            more = {"Next-Page": f"http://{self.headers['Host']}/v2/page/{following}"}
        with (self.folder / f"{name}_{number}.csv").open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._head(200, size, more)
            sent = 0
            while sent < size:
                sent += os.sendfile(self.connection.fileno(), file.fileno(), sent, size - sent)

    def _head(self, status: int, size: int, more: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/csv")
        for name, value in {"Content-Length": str(size), **more}.items():
            self.send_header(name, value)
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
