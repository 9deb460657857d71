"""Patches of Beam's internals, each checked against the installed release first.

No patch changes the results of a graph or the data sent to a worker elsewhere: Beam's housekeeping,
made for jobs of hours, is a good part of a download of seconds. On a release outside `TESTED`, or
where a name has another shape than the one patched, that patch is left out and logged at DEBUG:
files are the same, only start-up takes longer.

Light: Beam is imported where a patch is applied. For the process of a command only: a library has
no business doing this to its importer.
"""

import bz2
import inspect
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any

TESTED = (2, 72), (2, 77)
"""The oldest and the newest release of Beam that the patches are tested with: setup.py's range."""

SAMPLING_MS = 10
"""Between two looks at which step a bundle is in: Beam's default is 200."""

# Beam and pyarrow import these where they are installed, and go without them where they are not.
# IPython (50 ms) is asked whether this is a notebook; pandas (45 MiB) is for their DataFrames,
# pymongo (7 MiB) for MongoDB, boto3 (9 MiB) for Beam's own S3 files: a download uses none of them.
UNUSED = ("IPython", "boto3", "bson", "pandas", "pymongo")

# And these, 11 MiB, for Google's store: `transforms.storage.gcs.access` does so where one is named.
_NOT_YET = "google.cloud"

# Beam imports these for Google's services only.
_LATE = ("httplib2", "regex")

_FEW_BYTES = 1 << 16
_BUILDING = threading.Lock()

_log = logging.getLogger(__name__)

_Signature = tuple[list[str], list[Any]]


@cache
def is_tested(beam: str | None = None) -> bool:
    """Returns whether a release of Beam, by default the installed one, is among those `TESTED`."""
    from importlib.metadata import version

    major, minor = (beam or version("apache-beam")).split(".")[:2]
    return TESTED[0] <= (int(major), int(minor)) <= TESTED[1]


def fits(owner: object, name: str, *parameters: str) -> bool:
    """Returns whether a function of Beam is the one that a patch was made for.

    Args:
        owner: the module or class that has it.
        name: the function's.
        parameters: the names of its first parameters.
    """
    if not is_tested():
        _log.debug("not patched: %s.%s of a release that is not tested", owner, name)
        return False
    function = getattr(owner, name, None)
    found = list(inspect.signature(function).parameters) if callable(function) else None
    if found is None or found[: len(parameters)] != list(parameters):
        _log.debug("not patched: %s.%s has the parameters %s", owner, name, found)
        return False
    return True


@cache
def patch_beam() -> None:
    """Patches Beam in this process, once."""
    _sample_often()
    _remember_pickles()
    _remember_parameters()
    _keep_no_state()


def _sample_often() -> None:
    """Has a bundle end when its work is done, not up to 0.2 s later, when its sampler wakes up."""
    from apache_beam.runners.worker.statesampler import StateSampler

    parameters = "self", "prefix", "counter_factory", "sampling_period_ms"
    if fits(StateSampler, "__init__", *parameters) and len(StateSampler.__init__.__defaults__) == 1:
        StateSampler.__init__.__defaults__ = (SAMPLING_MS,)


def _remember_pickles() -> None:
    """Packs and unpacks each text once.

    Four workers unpack the same twenty texts again for each stage, and pack them again: 370 times
    in all, a third of a millisecond each and 4 MiB.
    """
    from apache_beam.internal import cloudpickle_pickler

    if is_tested() and getattr(cloudpickle_pickler, "bz2", None) is bz2:
        cloudpickle_pickler.bz2 = SimpleNamespace(
            compress=remembered(bz2.compress), decompress=remembered(bz2.decompress)
        )


def _remember_parameters() -> None:
    """Looks at each method once: Beam does at all thirty of a class for each of its objects."""
    from apache_beam.transforms import core

    if fits(core, "get_function_args_defaults", "f"):
        core.get_function_args_defaults = by_function(core.get_function_args_defaults)


def _keep_no_state() -> None:
    """Has workers read a side input where it is used, instead of keeping it up to 100 MB.

    Each is used once, and to keep it Beam measures it, for which it looks into every module and so
    has `_LATE` imported: 45 ms at the end of a download.
    """
    from apache_beam.runners.portability.fn_api_runner import worker_handlers

    if is_tested() and isinstance(getattr(worker_handlers, "STATE_CACHE_SIZE_MB", None), int):
        worker_handlers.STATE_CACHE_SIZE_MB = 0


@contextmanager
def plain_labels() -> Iterator[None]:
    """Keeps Beam, while a graph is built in IPython, from naming its steps after the cell.

    For that it would import what it has for notebooks, and with it pandas, which takes 100 MiB and
    fails where pandas is newer than it knows. Everything is as before when the block ends.
    """
    from apache_beam import pipeline

    with _BUILDING:
        name = "alter_label_if_ipython"
        before = getattr(pipeline, name, None)
        if before is None or not fits(pipeline, name, "transform", "pvalueish"):
            yield
            return
        pipeline.alter_label_if_ipython = lambda _transform, _pvalueish: None
        try:
            yield
        finally:
            pipeline.alter_label_if_ipython = before


def remembered(work: Callable[..., bytes]) -> Callable[..., bytes]:
    """Returns `work` with a memory of its last results, for texts that are not large."""
    at_hand = lru_cache(maxsize=128)(work)

    def from_memory(text: bytes, **how: Any) -> bytes:
        return (at_hand if len(text) <= _FEW_BYTES else work)(text, **how)

    return from_memory


def by_function(look: Callable[[Any], _Signature]) -> Callable[[Any], _Signature]:
    """Returns `look` with a memory of the functions whose bound methods it has looked at."""
    seen: dict[FunctionType, _Signature] = {}

    def from_memory(function: Any) -> _Signature:
        plain = function.__func__ if isinstance(function, MethodType) else None
        if not isinstance(plain, FunctionType):
            return look(function)
        if plain not in seen:
            seen[plain] = look(function)
        names, defaults = seen[plain]
        return [*names], [*defaults]

    return from_memory


class _KeepOut(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not (name in UNUSED or name in _LATE or name == _NOT_YET) or not is_tested():
            return None
        beam_is_there = hasattr(sys.modules.get("apache_beam"), "Pipeline")
        if name in UNUSED or (name == _NOT_YET and not beam_is_there):
            raise ModuleNotFoundError(f"{name} is kept out of this process", name=name)
        if name not in _LATE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


def keep_unused_out() -> None:
    """Keeps `UNUSED` from being imported in this process, before it imports Beam and pyarrow.

    Google's libraries stay out while Beam is imported, and can be imported afterwards.
    """
    sys.meta_path.insert(0, _KeepOut())
