"""Keeps the memory of a command's process low: nothing here changes what it does."""

import logging
import os
import sys
from importlib.abc import MetaPathFinder

# Beam and pyarrow import these where they are installed, and go without them where they are not.
# pandas (45 MiB) is for their DataFrames, pymongo (7 MiB) for MongoDB, boto3 (9 MiB) for Beam's own
# S3 files: a download uses none of them.
UNUSED = ("boto3", "pandas", "pymongo")


# Of mallopt, in malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _ARENAS = -1, -2, -8
_VARIABLE = "ARROW_DEFAULT_MEMORY_POOL"


class _KeepOut(MetaPathFinder):
    def find_spec(self, name: str, path: object, target: object = None) -> None:
        if name in UNUSED:
            raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)


def keep_lean() -> None:
    """Keeps `UNUSED` from being imported in this process, and Arrow from hoarding memory.

    To be called before Beam and pyarrow are imported, and in the process of a command only: a
    library has no business doing this to its importer.
    """
    sys.meta_path.insert(0, _KeepOut())
    # Arrow's default allocator, mimalloc, keeps 60 to 80 MiB more, at the same speed.
    os.environ.setdefault(_VARIABLE, "system")


def quiet_beam() -> None:
    """Keeps Beam from telling at length, also while it is imported, what is no news to a user."""
    logging.getLogger().setLevel(logging.ERROR)


def choose_pool(file_format: str) -> None:
    """Chooses Arrow's allocator for a format, unless the user has chosen one.

    For Parquet the system's grows with the rows, and jemalloc does not; for CSV neither does, and
    the system's takes 15 MiB less.
    """
    import pyarrow as pa

    ours = os.environ.get(_VARIABLE) == "system"
    if ours and file_format == "parquet" and "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())


def give_back() -> None:
    """Makes the C library return memory that is free to the system, where it is glibc.

    That takes a tenth of the speed and saves 10 MiB: for runs with S3, whose client takes 15.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in ((_TRIM_THRESHOLD, 1 << 16), (_TOP_PAD, 1 << 16), (_ARENAS, 2)):
            mallopt(parameter, value)
