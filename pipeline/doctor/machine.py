"""This machine: Python, the libraries, memory, and time."""

import platform
import time
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import PackageNotFoundError, requires, version

import psutil
from packaging.requirements import Requirement

from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from transforms.market import clock
from transforms.native import compiled
from transforms.version import __version__

_PACKAGE = "theta-greeks-pipeline"
# A download holds at most 200 MiB.
_LEAST_MEMORY = 300 << 20


def machine() -> Iterator[Diagnosis]:
    """Yields the diagnoses of this machine."""
    yield _versions()
    yield _reader()
    free = psutil.virtual_memory().available
    words = f"{free >> 20:,} MiB available"
    if free < _LEAST_MEMORY:
        yield Diagnosis(WARN, "memory", words, "a download takes up to 200 MiB: end something else")
    else:
        yield Diagnosis(OK, "memory", words)
    now = clock.now()
    yield Diagnosis(
        OK,
        "time",
        f"{now:%Y-%m-%d %H:%M} in New York; this machine's zone, {_zone()}, touches no data",
    )


def _versions() -> Diagnosis:
    try:
        needed = [Requirement(text) for text in requires(_PACKAGE) or ()]
    except PackageNotFoundError:
        return Diagnosis(
            FAIL, "versions", f"{_PACKAGE} is not installed here", "pip install it, or run_local.sh"
        )
    found, wrong = {}, []
    for each in needed:
        if each.marker is not None and not each.marker.evaluate({"extra": ""}):
            continue
        try:
            found[each.name] = version(each.name)
        except PackageNotFoundError:
            wrong.append(f"{each.name} is missing")
            continue
        if found[each.name] not in each.specifier:
            wrong.append(f"{each.name} {found[each.name]} is not {each.specifier}")
    if wrong:
        return Diagnosis(
            FAIL, "versions", "; ".join(wrong), f'pip install --upgrade "{_PACKAGE}=={__version__}"'
        )
    shown = ", ".join(f"{name} {found[name]}" for name in ("apache-beam", "pyarrow"))
    return Diagnosis(
        OK, "versions", f"greeks {__version__}, Python {platform.python_version()}, {shown}"
    )


def _reader() -> Diagnosis:
    if compiled.AVAILABLE:
        return Diagnosis(OK, "CSV", "read and printed by compiled code")
    return Diagnosis(
        WARN,
        "CSV",
        "read and printed by Arrow: there was no C compiler to install this with, or it failed; "
        "the files are the same, and take up to twice as long",
        f"install one (on Debian: apt-get install gcc python3-dev), then {_PACKAGE} again",
    )


def _zone() -> str:
    return datetime.now().astimezone().tzname() or time.tzname[0]
