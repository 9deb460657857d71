"""Files on any of Beam's file systems: small documents, folders, and the commit of a file."""

import json
import os
import uuid
from pathlib import Path
from typing import Any

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem


def is_local(path: str) -> bool:
    """Returns whether `path` is on this machine's own file system."""
    return isinstance(FileSystems.get_filesystem(path), LocalFileSystem)


def make_folder(path: str) -> None:
    """Makes a folder and its parents, if they are not there.

    Raises:
        OSError: it can't be made.
    """
    if is_local(path):
        Path(path).mkdir(parents=True, exist_ok=True)
    # Object stores have no folders; Beam's other file systems make them with the first file.


def move(source: str, target: str) -> None:
    """Moves a complete file into place, replacing what is there, in one rename.

    On a local file system the file and both folder entries are on the disk when it returns.

    Raises:
        OSError: the rename failed; `target` is as it was.
    """
    parent = target.rpartition("/")[0]
    make_folder(parent)
    if is_local(target):
        _sync(source)
        Path(source).replace(target)
        _sync(parent)
    else:
        FileSystems.rename([source], [target])


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Removes a file, or a folder with all that is in it, if it is there.

    Raises:
        OSError: it can't be removed.
    """
    if FileSystems.exists(path):
        FileSystems.delete([path])


def exists(path: str) -> bool:
    """Returns whether there is a file or a folder at `path`."""
    return bool(FileSystems.exists(path))


def size(path: str) -> int:
    """Returns the size of a file in bytes.

    Raises:
        OSError: it is not there.
    """
    return int(FileSystems.get_filesystem(path).size(path))


def read_json(path: str) -> Any:
    """Returns a JSON document, or None if there is no such file.

    Raises:
        ValueError: the file is not JSON.
        OSError: the file can't be read.
    """
    try:
        with FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as file:
            return json.loads(file.read())
    except FileNotFoundError:
        return None
    except BeamIOError:
        if FileSystems.exists(path):
            raise
        return None


def write_json(path: str, document: Any, temporary: str) -> None:
    """Writes a JSON document: whole, or not at all.

    Args:
        path: where to.
        document: what.
        temporary: a folder on the same file system for the unfinished file.

    Raises:
        OSError: it can't be written; a document that was there is as it was.
    """
    unfinished = f"{temporary}/{uuid.uuid4().hex}.json"
    make_folder(temporary)
    with FileSystems.create(unfinished, "application/json", CompressionTypes.UNCOMPRESSED) as file:
        file.write(json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n")
    move(unfinished, path)
