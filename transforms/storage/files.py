"""Files and folders on any of Beam's file systems, and the commit of a file."""

import contextlib
import hashlib
import io
import os
import re
import shutil
from collections.abc import Iterator
from typing import Any, BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.io.localfilesystem import LocalFileSystem

from transforms.storage import stores
from transforms.storage.base import NOTHING, Listed, missing
from transforms.storage.gcs.access import SCHEME, register

_PIECE = 1 << 20


def is_local(path: str) -> bool:
    """Returns whether `path` is on this machine's own file system."""
    if "://" not in path:
        return True
    if stores.of(path):
        return False
    return isinstance(FileSystems.get_filesystem(path), LocalFileSystem)


def check_place(path: str) -> None:
    """Checks that `path` is on a file system that Beam has here.

    Raises:
        ValueError: it is not. The message names no more than the scheme: there may be a password
            behind it.
        OSError: it would be, with an extra that is not installed.
    """
    scheme, mark, _ = path.partition("://")
    if path.startswith(SCHEME):
        register()
    try:
        FileSystems.get_filesystem(path)
    except ValueError:
        way_out = "it takes a folder of this machine, s3:// or gs://"
        raise ValueError(f"no file system here knows {scheme}{mark}: {way_out}") from None


def make_folder(path: str) -> None:
    """Makes a folder and its parents, if they are not there.

    On a local file system their entries are on the disk when it returns.

    Raises:
        OSError: it can't be made.
    """
    if not is_local(path):
        return  # stores have no folders; Beam's other file systems make them with the first file
    parent = os.path.dirname(path.rstrip("/")) or "."  # noqa: PTH120 -- for each of many
    try:
        try:
            os.mkdir(path)  # noqa: PTH102 -- likewise
        except FileNotFoundError:
            make_folder(parent)
            os.mkdir(path)  # noqa: PTH102 -- likewise
    except FileExistsError:
        if not os.path.isdir(path):  # noqa: PTH112 -- likewise
            raise
    else:
        _sync(parent)


def create(path: str) -> BinaryIO:
    """Opens a new file of this machine for writing, in a folder that is made if it is not there.

    Raises:
        OSError: it can't be made.
    """
    try:
        return open(path, "wb")  # noqa: PTH123 -- for each of many; the caller closes it
    except FileNotFoundError:
        make_folder(os.path.dirname(path))  # noqa: PTH120 -- likewise
        return open(path, "wb")  # noqa: PTH123 -- likewise


def move(source: str, target: str) -> None:
    """Moves a complete file into place, replacing the file there, in one rename.

    On a local file system the file and its folder's entry are on the disk when it returns.

    Raises:
        OSError: the rename failed; `target` is as it was.
    """
    if is_local(target):
        _sync(source)
        rename_synced(source, target)
    else:
        make_folder(target.rpartition("/")[0])
        FileSystems.rename([source], [target])


def set_aside(source: str, target: str) -> None:
    """Moves a file that may be large, and nobody reads; on a store, by a copy.

    Raises:
        OSError: it could not be moved; `source` is as it was.
    """
    if store := stores.of(source):
        with open_file(source) as content:
            store.put(target, content, "application/octet-stream")
        store.remove(source)
    else:
        move(source, target)


def rename_synced(source: str, target: str) -> None:
    """Renames a file of this machine that is synced, and syncs the folder that it is in then.

    Raises:
        OSError: the rename failed; `target` is as it was.
    """
    parent = os.path.dirname(target)  # noqa: PTH120 -- for each of many
    try:
        os.replace(source, target)  # noqa: PTH105 -- likewise
    except FileNotFoundError:
        make_folder(parent)
        os.replace(source, target)  # noqa: PTH105 -- likewise
    _sync(parent)


def _sync(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: str) -> None:
    """Removes a file, if it is there.

    Raises:
        OSError: it can't be removed; a folder can't.
    """
    if is_local(path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 -- for each of many
    elif store := stores.of(path):
        store.remove(path)
    elif FileSystems.exists(path):
        FileSystems.delete([path])


def remove_folder(path: str) -> None:
    """Removes a folder with all that is in it, if it is there. Links in it are not followed.

    Raises:
        OSError: it can't be removed; a link to a folder can't.
    """
    if is_local(path):
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path)
    elif store := stores.of(path):
        for each in [path, *(found.path for found in store.below(path))]:
            store.remove(each)
    elif FileSystems.exists(path):
        FileSystems.delete([path])


def exists(path: str) -> bool:
    """Returns whether there is a file at `path`, or where there are folders, one of those.

    Raises:
        OSError: the file system can't be read.
    """
    if is_local(path):
        return os.path.exists(path)  # noqa: PTH110 -- for each of many
    if store := stores.of(path):
        return store.find(path) is not None
    return bool(FileSystems.exists(path))


def mark(path: str) -> str | None:
    """Returns a text that changes whenever a file does, or None where the file system has none.

    A writer names the state that it replaces by it; see `documents.write_json`.

    Raises:
        OSError: the file system can't be read.
    """
    if store := stores.of(path):
        found = store.find(path)
        return found.mark if found else NOTHING
    return None


def size(path: str) -> int:
    """Returns the size of a file in bytes.

    Raises:
        OSError: it is not there.
    """
    if is_local(path):
        return os.path.getsize(path)  # noqa: PTH202 -- for each of many
    if store := stores.of(path):
        if found := store.find(path):
            return found.size
        raise missing(path)
    return int(FileSystems.get_filesystem(path).size(path))


def below(folder: str) -> Iterator[str]:
    """Yields the path of every file below a folder, in order; none if there is no folder.

    Raises:
        OSError: the folder can't be read.
    """
    return (each.path for each in listed(folder))


def listed(folder: str) -> Iterator[Listed]:
    """Yields every file below a folder, in order of their paths; none if there is no folder.

    Links to folders are not followed. Little is held, but for the names in a folder and in those
    above it. Of a store, the files are listed by the page, without a request for each.

    Raises:
        OSError: the folder can't be read.
    """
    if is_local(folder):
        return _walk(folder)
    if store := stores.of(folder):
        return store.below(folder)
    # A pattern can't quote its own characters, so that it may match more than this folder.
    pattern = re.sub(r"[\[*?]", "?", folder) + "/**"
    (result,) = FileSystems.match([pattern])
    found = (each for each in result.metadata_list if each.path.startswith(f"{folder}/"))
    in_order = sorted(found, key=lambda each: each.path)
    return (
        # 0 where the file system does not know.
        Listed(each.path, each.size_in_bytes, str(each.last_updated_in_seconds or ""), None)
        for each in in_order
    )


def _walk(folder: str) -> Iterator[Listed]:
    try:
        with os.scandir(folder) as found:
            # A folder stands where the paths of its files do.
            names = sorted(each.name + "/" * each.is_dir() for each in found)
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        if name.endswith("/"):
            if not os.path.islink(path[:-1]):  # noqa: PTH114 -- for each of many
                yield from _walk(path[:-1])
            continue
        try:
            known = os.stat(path)  # noqa: PTH116 -- for each of many
        except FileNotFoundError:
            continue  # it is gone, or a link to nothing
        yield Listed(path, known.st_size, str(known.st_mtime_ns), None)


def open_file(path: str) -> Any:
    """Returns a file that is open for reading its bytes as they are.

    Raises:
        OSError: it can't be opened.
    """
    if store := stores.of(path):
        return io.BufferedReader(store.open_file(path), _PIECE)
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)


def sha256(path: str) -> str:
    """Returns the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: it can't be read.
    """
    digest = hashlib.sha256()
    with open_file(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
