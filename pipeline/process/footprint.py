"""Keeps the memory of a command's process low: results do not change."""

import ctypes
import gc
import logging
import mmap
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Of mallopt, in malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _M_ARENA_MAX = -1, -2, -8
_VARIABLE = "ARROW_DEFAULT_MEMORY_POOL"
# What was not the user's choice.
_ours: set[str] = set()
_JEMALLOC = "JE_ARROW_MALLOC_CONF"
_MAPPED = re.compile(r"([0-9a-f]+)-([0-9a-f]+) .-.p .*\.so(?:\.\S*)?$")  # read-only; proc(5)


def keep_lean() -> None:
    """Sets the environment by which NumPy and Arrow take less memory, unless the user has set it.

    To be called before they are imported, and in the process of a command only: a library has no
    business doing this to its importer.
    """
    # NumPy starts one thread more for each processor, which spin for a while, and multiplies no
    # matrices here.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Arrow's default allocator, mimalloc, keeps 60 to 80 MiB more, at the same speed. The system's
    # scatters what Parquet notes of each row group among the pages: 20 MiB more where eight files
    # of a million rows are under way. Arrow is built with jemalloc wherever the C library is glibc.
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = "jemalloc" if _is_glibc() else "system"
        _ours.add(_VARIABLE)
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
        _mallopt({_M_ARENA_MAX: 1})


@contextmanager
def importing() -> Iterator[None]:
    """Keeps the garbage collector out of imports, and their objects out of its later rounds.

    Beam and pyarrow make half a million objects that live as long as the process: to look at them
    over and over would cost a download a twentieth of its time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
        unmap_libraries()


def unmap_libraries() -> None:
    """Unmaps the pages of the libraries' files; a page is mapped again when it is used.

    Importing touches much that a run never needs: 30 MiB less are resident afterwards. The kernel
    maps a file by the pieces in which it lies in its page cache, which are large where the file was
    written at once, so that the same wheels take 64 MiB of one environment and 107 of another.
    Elsewhere than on Linux, nothing is done.
    """
    try:
        with open("/proc/self/smaps", encoding="utf-8", errors="replace") as smaps:  # noqa: PTH123 -- an import less
            lines = smaps.readlines()
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    found = None
    for line in lines:
        if "-" in line[:20]:
            found = _MAPPED.match(line)
        # Where nothing was written, the file has it all.
        elif found is not None and line.startswith("Anonymous:") and line.split()[1] == "0":
            begin, end = (int(address, 16) for address in found.groups())
            madvise(begin, end - begin, mmap.MADV_DONTNEED)


def quiet_beam() -> None:
    """Logs only errors of Beam, also while it is imported."""
    logging.getLogger().setLevel(logging.ERROR)


def choose_pool() -> None:
    """Chooses Arrow's allocator for a download, unless the user has chosen one.

    The system's grows with the rows, by 20 MiB and more; jemalloc hardly does. To be called before
    the threads start.
    """
    import pyarrow as pa

    _share_one_arena()
    if _VARIABLE not in _ours or os.environ.get(_VARIABLE) != "system":
        return
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())


def give_back() -> None:
    """Makes the C library return memory that is free to the system, where it is glibc.

    That takes a tenth of the speed and saves 10 MiB: for runs with S3, whose client takes 15.
    """
    _mallopt({_TRIM_THRESHOLD: 1 << 16, _TOP_PAD: 1 << 16, _M_ARENA_MAX: 2})


def _mallopt(options: Mapping[int, int]) -> None:
    # Other C libraries have no such function, or no arenas.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if mallopt is not None:
        for option, value in options.items():
            mallopt(option, value)
