"""Shortcuts through Beam: what it does over and over in one process is done once.

Beam is made for jobs of hours; of a download of seconds its housekeeping is a good part. Nothing
here changes what a graph does or what is sent to a worker elsewhere, only how often it is worked
out; and this project takes one release of Beam, whose inner names these are.
"""

import bz2
from collections.abc import Callable
from functools import cache, lru_cache
from types import FunctionType, MethodType, SimpleNamespace
from typing import Any

from apache_beam.internal import cloudpickle_pickler
from apache_beam.runners.worker import statesampler
from apache_beam.transforms import core

SAMPLING_MS = 10
"""Between two looks at which step a bundle is in: Beam's default is 200."""

_FEW_BYTES = 1 << 16

_Signature = tuple[list[str], list[Any]]


@cache
def take_shortcuts() -> None:
    """Takes them all, in this process, once.

    To be called in the process of a command only: a library has no business doing this to its
    importer.
    """
    # A bundle ends when the thread that samples it wakes up: up to 0.2 s after its work is done.
    statesampler.StateSampler.__init__.__defaults__ = (SAMPLING_MS,)
    # Four workers unpack the same twenty texts again for each stage, and pack them again: 370 times
    # in all, a third of a millisecond each and 4 MiB.
    cloudpickle_pickler.bz2 = SimpleNamespace(
        compress=remembered(bz2.compress), decompress=remembered(bz2.decompress)
    )
    # Beam asks for the parameters of a class's thirty methods whenever it sees one of its objects.
    core.get_function_args_defaults = by_function(core.get_function_args_defaults)


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
