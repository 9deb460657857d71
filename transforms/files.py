"""Files on any of Beam's file systems: small documents, folders, and the commit of a file."""

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterator
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

    On a local file system their entries are on the disk when it returns.

    Raises:
        OSError: it can't be made.
    """
    if is_local(path):
        folder = Path(path)
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            _sync(str(folder.parent))
    # Object stores have no folders; Beam's other file systems make them with the first file.


def move(source: str, target: str) -> None:
    """Moves a complete file into place, replacing what is there, in one rename.

    On a local file system the file and its folder's entry are on the disk when it returns.

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


def below(folder: str) -> Iterator[str]:
    """Yields the path of every file below a folder, in order; none if there is no folder.

    Raises:
        OSError: the folder can't be read.
    """
    if is_local(folder):
        for place, folders, names in os.walk(folder, onerror=_unless_missing):
            folders.sort()
            yield from (f"{place}/{name}" for name in sorted(names))
        return
    (result,) = FileSystems.match([f"{folder}/**"])
    yield from sorted(found.path for found in result.metadata_list)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def open_file(path: str) -> Any:
    """Returns a file that is open for reading its bytes as they are.

    Raises:
        OSError: it can't be opened.
    """
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def sha256(path: str) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    with open_file(path) as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def read_json(path: str) -> Any:
    """Returns a JSON document, or None if there is no such file.

    Raises:
        ValueError: the file is not JSON.
        OSError: the file can't be read.
    """
    try:
        with open_file(path) as file:
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
    text = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
    unfinished = f"{temporary}/{uuid.uuid4().hex}.json"
    make_folder(temporary)
    try:
        with FileSystems.create(
            unfinished, "application/json", CompressionTypes.UNCOMPRESSED
        ) as file:
            file.write(text)
        move(unfinished, path)
    except BaseException:
        # Removing it can fail for the same reason, which is the one to tell.
        with contextlib.suppress(OSError):
            remove(unfinished)
        raise
