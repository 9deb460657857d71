"""Documents and other small files on any store: written whole, or not at all."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.storage import files, stores
from transforms.storage.base import NOTHING
from transforms.storage.commit import begin
from transforms.storage.json_text import json_text


def read_json(path: str) -> Any:
    """Returns a JSON document, or None if there is no such file.

    Raises:
        ValueError: the file is not JSON.
        OSError: the file can't be read.
    """
    return read_marked(path)[0]


def read_marked(path: str) -> tuple[Any, str | None]:
    """Returns a JSON document, or None if there is no such file, and the file's `mark`.

    Raises:
        ValueError: the file is not JSON.
        OSError: the file can't be read.
    """
    store = stores.of(path)
    try:
        if store:
            content, found = store.get(path)
            return json.loads(content), found
        with open(path, "rb") if files.is_local(path) else files.open_file(path) as file:  # noqa: PTH123 -- for each of many
            return json.loads(file.read()), None
    except FileNotFoundError:
        return None, NOTHING if store else None
    except BeamIOError:
        if FileSystems.exists(path):
            raise
        return None, None


def write_json(
    path: str, document: Mapping[str, Any], temporary: str, over: str | None = None
) -> str | None:
    """Writes a JSON document: whole, or not at all. Returns the file's `mark`.

    Args:
        path: where to.
        document: what.
        temporary: a folder on the same file system for the unfinished file.
        over: the `mark` of the file that may be replaced; None for any.

    Raises:
        base.Overtaken: the file there has another mark.
        OSError: it can't be written; a document that was there is as it was.
    """
    return write_bytes(path, json_text(document).encode(), "application/json", temporary, over)


def write_bytes(
    path: str, content: bytes, mime_type: str, temporary: str, over: str | None = None
) -> str | None:
    """Writes a small file, as `write_json` does."""
    if store := stores.of(path):
        return store.put(path, content, mime_type, over)
    unfinished = f"{temporary}/{uuid.uuid4().hex}.json"
    try:
        if files.is_local(path):
            with files.create(unfinished) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            files.rename_synced(unfinished, path)
            return None
        with FileSystems.create(unfinished, mime_type, CompressionTypes.UNCOMPRESSED) as file:
            file.write(content)
        files.move(unfinished, path)
    except BaseException:
        # Removing it can fail for the same reason, which is the one to raise.
        with contextlib.suppress(OSError):
            files.remove(unfinished)
        raise
    return None


def write_joined(path: str, parts: Iterable[str], mime_type: str) -> None:
    """Writes the bytes of some files, of any file system, one after the other as a new file.

    Raises:
        OSError: one can't be read, or the new one not written; nothing is left of it then.
    """
    pending = begin(
        path,
        f"{path}.{uuid.uuid4().hex}.unfinished",
        mime_type,
        lambda unfinished: FileSystems.create(unfinished, mime_type, CompressionTypes.UNCOMPRESSED),
    )
    try:
        with contextlib.closing(pending.file):
            for part in parts:
                with files.open_file(part) as source:
                    shutil.copyfileobj(source, pending.file, 1 << 18)
        pending.seal()
        pending.commit()
    except BaseException:
        with contextlib.suppress(OSError):
            pending.discard()
        raise
