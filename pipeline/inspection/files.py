"""The files that a person names, and what they are before their rows are read."""

import csv
import difflib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

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
        path = Path(name)
        if "://" in name:
            raise UnreadableFile(
                f"{name} is not on this machine: copy it here first, such as by `aws s3 sync`"
            )
        if not path.exists():
            raise UnreadableFile(not_there(name))
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if _is_data(p, path))
            if not inside:
                raise UnreadableFile(f"{name} has no file that ends in {', '.join(SUFFIXES)}")
            found += map(str, inside)
        else:
            found.append(name)
    return list(dict.fromkeys(found))


def not_there(name: str) -> str:
    """Returns that a file or folder is not there, and which one may be meant."""
    path = Path(name)
    if name == DEFAULT_FOLDER:
        return f"{name} is not there, where greeks download puts its files: name another folder"
    beside = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=1)
    return f"{name} is not there" + (f"; did you mean {path.parent / near[0]}?" if near else "")


def _is_data(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    return path.name.endswith(SUFFIXES) and not hidden and path.is_file()


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
            return list(pq.read_schema(path).names)
        # Not by Arrow's reader: it reads ahead in a thread, which goes on when the file is closed,
        # and takes bytes from the file that is opened next under the same number
        # (apache/arrow#43604).
        with pa.input_stream(path, compression=compression_of(path)) as stream:
            head = stream.read(_HEADER_BYTES).decode("utf-8-sig", "replace").splitlines()[:1]
    except (pa.ArrowException, OSError) as error:
        raise UnreadableFile(f"{path}: {error}") from error
    return next(csv.reader(head), [])


def compression_of(path: str) -> str | None:
    """Returns how a CSV file is compressed, by its name, as Arrow calls it; None if it is not."""
    return {"gz": "gzip", "zst": "zstd"}.get(path.rpartition(".")[2])
