"""A port of this machine that nobody has."""

import socket


def free_port() -> int:
    """Returns a port on which nothing listened a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
