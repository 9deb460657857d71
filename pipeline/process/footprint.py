"""Keeps the memory of a command's process low: nothing here changes what it does."""

import ctypes
import gc
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

# Beam and pyarrow import these where they are installed, and go without them where they are not.
# pandas (45 MiB) is for their DataFrames, pymongo (7 MiB) for MongoDB, boto3 (9 MiB) for Beam's own
# S3 files: a download uses none of them.
UNUSED = ("boto3", "bson", "pandas", "pymongo")

# And these, 11 MiB, for Google's store: `transforms.storage.gcs.access` does so where one is named.
_NOT_YET = "google.cloud"

# Beam imports these for Google's services only.
_LATE = ("httplib2", "regex")

# Of mallopt, in malloc.h.
_TRIM_THRESHOLD, _TOP_PAD = -1, -2
_VARIABLE = "ARROW_DEFAULT_MEMORY_POOL"
_JEMALLOC = "JE_ARROW_MALLOC_CONF"
_M_ARENA_MAX = -8  # malloc.h


class _KeepOut(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        beam_is_there = hasattr(sys.modules.get("apache_beam"), "Pipeline")
        if name in UNUSED or (name == _NOT_YET and not beam_is_there):
            raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)
        spec = PathFinder.find_spec(name, path, target) if name in _LATE else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def keep_lean() -> None:
    """Keeps `UNUSED` from being imported in this process, and Arrow from hoarding memory.

    Google's libraries stay out while Beam is imported, and can be imported afterwards.

    To be called before Beam and pyarrow are imported, and in the process of a command only: a
    library has no business doing this to its importer.
    """
    sys.meta_path.insert(0, _KeepOut())
    # NumPy starts one thread more for each processor, which spin for a while, and multiplies no
    # matrices here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Arrow's default allocator, mimalloc, keeps 60 to 80 MiB more, at the same speed. The system's
    # scatters what Parquet notes of each row group among the pages: 20 MiB more where eight files
    # of a million rows are under way. Arrow is built with jemalloc wherever the C library is glibc.
    os.environ.setdefault(_VARIABLE, "jemalloc" if _is_glibc() else "system")
    # By default jemalloc has four arenas for each processor, and its threads cache larger pieces,
    # which takes 12 MiB more.
    os.environ.setdefault(_JEMALLOC, "narenas:1,lg_tcache_max:13")


def _is_glibc() -> bool:
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError):
        return False  # another C library, or another system


def _share_one_arena() -> None:
    """Keeps glibc from giving each thread a heap of its own, and each of them from being kept.

    With eight workers that takes 25 MiB less, at the same speed: what they allocate is large.
    """
    if "MALLOC_ARENA_MAX" not in os.environ:
        # Other C libraries have no such function, or no arenas.
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, 1)


@contextmanager
def importing() -> Iterator[None]:
    """Keeps the garbage collector out of imports, and what they left out of its later rounds.

    Beam and pyarrow make half a million objects that live as long as the process: to look at them
    over and over would cost a download a twentieth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


def quiet_beam() -> None:
    """Keeps Beam from telling at length, also while it is imported, what is no news to a user."""
    logging.getLogger().setLevel(logging.ERROR)


def choose_pool() -> None:
    """Chooses Arrow's allocator for a download, unless the user has chosen one.

    The system's grows with the rows, by 20 MiB and more; jemalloc hardly does. To be called before
    the threads start.
    """
    import pyarrow as pa

    _share_one_arena()
    if os.environ.get(_VARIABLE) != "system":
        return
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())


def give_back() -> None:
    """Makes the C library return memory that is free to the system, where it is glibc.

    That takes a tenth of the speed and saves 10 MiB: for runs with S3, whose client takes 15.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for parameter, value in (
            (_TRIM_THRESHOLD, 1 << 16),
            (_TOP_PAD, 1 << 16),
            (_M_ARENA_MAX, 2),
        ):
            mallopt(parameter, value)
