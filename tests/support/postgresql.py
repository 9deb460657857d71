"""A real PostgreSQL for the tests, where there is one."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

VARIABLE, REQUIRED = "GREEKS_TEST_POSTGRESQL", "GREEKS_TEST_REQUIRED"


@contextmanager
def database() -> Iterator[str]:
    """Gives the URL of a new, empty database, and drops it afterwards.

    Skips the test where there is no server; fails it where one is required, as in CI.
    """
    server = os.environ.get(VARIABLE)
    if not server:
        reason = f"no PostgreSQL: {VARIABLE} is not set (.ci/postgresql start FOLDER prints one)"
        if "postgresql" in os.environ.get(REQUIRED, "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    import psycopg

    name = f"greeks_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
        try:
            yield f"{server.rpartition('/')[0]}/{name}"
        finally:
            connection.execute(f"drop database {name} with (force)".encode())
