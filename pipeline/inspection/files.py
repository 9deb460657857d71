"""The files that a person names, and what they are before their rows are read."""

import csv
import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.output.folder import META

SUFFIXES = (".csv", ".csv.gz", ".csv.zst", ".parquet")
_HEADER_BYTES = 1 << 16
DEFAULT_FOLDER = "data/greeks"
"""Where a download puts its files, unless `--output` names another folder."""


class UnreadableFile(ValueError):
    """A file can't be read as rows of Greeks. The message begins with its path."""


def find_files(paths: Sequence[str]) -> list[str]:
    """Returns the files that paths name: themselves, or all that a folder holds, sorted.

    What readers of a folder take for hidden is left out: files and folders below it whose names
    begin with a dot or an underscore.

    Raises:
        UnreadableFile: a path is not there, or a folder has no file of `SUFFIXES`.
    """
    found: list[str] = []
    for name in paths:
        if not is_folder(name):
            found.append(name)
            continue
        inside = _far_below(name) if is_far(name) else _below(name)
        if not inside:
            raise UnreadableFile(f"{name} has no file that ends in {', '.join(SUFFIXES)}")
        found += inside
    return list(dict.fromkeys(found))


def is_far(path: str) -> bool:
    """Returns whether a path is of a store, and not of this machine."""
    return "://" in path


def is_folder(path: str) -> bool:
    """Returns whether a path names a folder; in a store, whether it is not named as a file is.

    Raises:
        UnreadableFile: a path of this machine is not there.
    """
    if is_far(path):
        return not path.endswith(SUFFIXES)
    if not Path(path).exists():
        raise UnreadableFile(not_there(path))
    return Path(path).is_dir()


def opened(path: str) -> Any:
    """Returns what Arrow reads a file from: its path, or a store's object, whose parts it fetches.

    Raises:
        OSError, ValueError: the object can't be opened.
    """
    if not is_far(path):
        return path
    # Beam takes half a second: only for who needs it.
    from transforms.storage import files

    files.check_place(path)
    return files.open_file(path)


def _far_below(folder: str) -> list[str]:
    from transforms.storage import files

    try:
        files.check_place(folder)
        paths = sorted(files.below(folder.rstrip("/")))
    except (OSError, ValueError) as error:
        raise UnreadableFile(f"{folder}: {error}") from error
    start = len(folder.rstrip("/")) + 1
    return [path for path in paths if _is_shown(path[start:])]


def _below(folder: str) -> list[str]:
    top = Path(folder)
    inside = (path for path in top.rglob("*") if _is_shown(path.relative_to(top).as_posix()))
    return [str(path) for path in sorted(inside) if path.is_file()]


def _is_shown(name: str) -> bool:
    """Returns whether a path below a folder is that of a data file that readers of it take."""
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return name.endswith(SUFFIXES) and not hidden


def not_there(name: str) -> str:
    """Returns that a file or folder is not there, and which one may be meant."""
    path = Path(name)
    if name == DEFAULT_FOLDER:
        return f"{name} is not there, where greeks download puts its files: name another folder"
    # What lies beside the data is none.
    there = path.parent.iterdir() if path.parent.is_dir() else ()
    beside = [each.name for each in there if each.suffix != META]
    near = difflib.get_close_matches(path.name, beside, n=1)
    return f"{name} is not there" + (f"; did you mean {path.parent / near[0]}?" if near else "")


def check_name(path: str) -> None:
    """Checks that a file can be opened by its name.

    Raises:
        UnreadableFile: its name is not UTF-8.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        raise UnreadableFile(f"{path!r}: its name is not UTF-8; rename it") from None


def columns_of(path: str) -> list[str]:
    """Returns the names of a file's columns.

    Raises:
        UnreadableFile: it is no CSV or Parquet.
    """
    check_name(path)
    try:
        if path.endswith(".parquet"):
            return list(pq.read_schema(opened(path)).names)
        # Not by Arrow's reader: it reads ahead in a thread, which goes on when the file is closed,
        # and takes bytes from the file that is opened next under the same number
        # (apache/arrow#43604).
        with pa.input_stream(opened(path), compression=compression_of(path)) as stream:
            head = stream.read(_HEADER_BYTES).decode("utf-8-sig", "replace").splitlines()[:1]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UnreadableFile(f"{path}: {error}") from error
    return next(csv.reader(head), [])


def compression_of(path: str) -> str | None:
    """Returns how a CSV file is compressed, by its name, as Arrow calls it; None if it is not."""
    return {"gz": "gzip", "zst": "zstd"}.get(path.rpartition(".")[2])
