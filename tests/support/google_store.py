"""A server of Google's storage protocol on loopback: fake-gcs-server, where there is one."""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.support.ports import free_port
from tests.support.postgresql import REQUIRED
from tests.support.waiting import wait_for

VARIABLE = "GREEKS_TEST_GCS"
BUCKET = "greeks"


@dataclass
class GoogleStore:
    """A running server with an empty bucket, asked without the library under test.

    Attributes:
        url: its address.
    """

    url: str
    scheme = "gs"

    @property
    def environment(self) -> dict[str, str]:
        """With which a command finds it."""
        return {"STORAGE_EMULATOR_HOST": self.url}

    @property
    def flags(self) -> list[str]:
        """With which a command does not look for credentials."""
        return ["--no_auth"]

    def objects(self, folder: str = "") -> dict[str, bytes]:
        """Returns every object whose key begins with `folder`, by the rest of its key."""
        found = {}
        listed = json.loads(self._get(f"?prefix={urllib.parse.quote(folder)}"))
        for each in listed.get("items", ()):
            name = each["name"]
            try:
                found[name[len(folder) :]] = self._get(f"/{urllib.parse.quote(name, '')}?alt=media")
            except urllib.error.HTTPError as error:
                if error.code != 404:
                    raise
        return found

    def put(self, key: str, content: bytes) -> None:
        """Replaces an object."""
        name = urllib.parse.quote(key, "")
        _answer(f"{self.url}/upload/storage/v1/b/{BUCKET}/o?uploadType=media&name={name}", content)

    def _get(self, rest: str) -> bytes:
        return _answer(f"{self.url}/storage/v1/b/{BUCKET}/o{rest}")


@contextmanager
def google_store() -> Iterator[GoogleStore]:
    """Runs a server with a new bucket.

    Skips the test where there is none, or fails it where one is required.
    """
    program = os.environ.get(VARIABLE) or shutil.which("fake-gcs-server")
    if not program:
        reason = f"no fake-gcs-server: {VARIABLE} is not set (.ci/go fake-gcs-server makes one)"
        if "gcs" in os.environ.get(REQUIRED, "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(
        [
            program,
            "-backend",
            "memory",
            "-scheme",
            "http",
            "-host",
            "127.0.0.1",
            "-port",
            str(port),
            "-public-host",
            f"127.0.0.1:{port}",
            "-log-level",
            "error",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            wait_for("the store", lambda: _lives(url))
            _answer(f"{url}/storage/v1/b", json.dumps({"name": BUCKET}).encode())
            yield GoogleStore(url)
        finally:
            process.terminate()


def _lives(url: str) -> bool:
    try:
        _answer(f"{url}/storage/v1/b")
    except OSError:
        time.sleep(0.05)
        return False
    return True


def _answer(url: str, content: bytes | None = None) -> bytes:
    with urllib.request.urlopen(url, content, timeout=30) as answer:  # noqa: S310 -- http, ours
        return bytes(answer.read())
