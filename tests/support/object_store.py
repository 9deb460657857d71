"""Real servers of S3's protocol on loopback: moto's, and MinIO where there is one."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session

from tests.support.ports import free_port

KEY, SECRET = "AKIAGREEKS", "s3cr3t-of-the-store"
BUCKET = "greeks"

# Serves until its standard input ends, that is: with its starter, however that ends.
_MOTO = """
import logging, sys
from moto.server import ThreadedMotoServer
logging.disable()
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
server.stop()
"""


def minio() -> str | None:
    """Returns the path of MinIO's program, or None where there is none."""
    return os.environ.get("GREEKS_TEST_MINIO") or shutil.which("minio")


KINDS = ["moto", *(["minio"] if minio() else [])]


@dataclass
class ObjectStore:
    """A running server with an empty bucket.

    Attributes:
        url: its address.
        client: of it, independent of the client under test.
        environment: with which a command finds it.
    """

    url: str
    client: Any
    scheme = "s3"
    flags = ()

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def objects(self, folder: str = "") -> dict[str, bytes]:
        """Returns every object whose key begins with `folder`, by the rest of its key."""
        found = {}
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=folder)
        for page in pages:
            for each in page.get("Contents", ()):
                try:
                    answer = self.client.get_object(Bucket=BUCKET, Key=each["Key"])
                except self.client.exceptions.NoSuchKey:
                    continue  # removed since it was listed
                found[each["Key"][len(folder) :]] = answer["Body"].read()
        return found

    def put(self, key: str, content: bytes) -> None:
        """Replaces an object."""
        self.client.put_object(Bucket=BUCKET, Key=key, Body=content)

    def uploads(self) -> list[str]:
        """Returns the keys of multipart uploads that are neither completed nor aborted."""
        answer = self.client.list_multipart_uploads(Bucket=BUCKET, Prefix="")
        return [each["Key"] for each in answer.get("Uploads", ())]


@contextmanager
def object_store(kind: str, folder: Path) -> Iterator[ObjectStore]:
    """Runs a server of a kind with a new bucket; `folder` is for its files."""
    with _moto() if kind == "moto" else _minio(folder) as url:
        client = botocore.session.get_session().create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )
        client.create_bucket(Bucket=BUCKET)
        yield ObjectStore(url, client)


@contextmanager
def _moto() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.communicate("")


@contextmanager
def _minio(folder: Path) -> Iterator[str]:
    program = minio()
    assert program is not None
    port = free_port()
    process = subprocess.Popen(
        [program, "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder)],
        env=os.environ | {"MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while not _lives(f"{url}/minio/health/live"):
            assert process.poll() is None, "MinIO ended"
            assert time.monotonic() < deadline, "MinIO does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def _lives(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- http, ours
            return bool(answer.status == 200)
    except OSError:
        return False
