"""A proxy before a server of S3's protocol, which counts what is asked for."""

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@contextmanager
def counting_proxy(url: str) -> Iterator[tuple[str, Counter[str]]]:
    """Gives an address that stands for a store's, and its requests: `GET object`, `GET list`."""
    counts: Counter[str] = Counter()
    host, port = urlsplit(url).hostname, urlsplit(url).port

    class Forwarding(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            query = urlsplit(self.path).query
            kind = "list" if "list-type" in query or "uploads" in query else "object"
            counts[f"{self.command} {kind}"] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(str(host), port, timeout=60)
            try:
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
            finally:
                connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else len(content)
            self.send_header("Content-Length", str(length or 0))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *arguments: object) -> None:
            """Prints nothing."""

    for method in ("GET", "PUT", "HEAD", "POST", "DELETE"):
        setattr(Forwarding, f"do_{method}", Forwarding.forward)
    with ThreadingHTTPServer(("127.0.0.1", 0), Forwarding) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", counts
        server.shutdown()
