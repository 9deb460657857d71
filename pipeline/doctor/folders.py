"""Where a download writes: room and permission for its files, and its run history."""

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from pipeline.doctor.diagnosis import FAIL, OK, WARN, Diagnosis
from pipeline.history import Query, StoreError, is_sql, open_to_read
from pipeline.planning.disk import free_entries, nearest, on_two_disks
from pipeline.text import count, reason_of, size_text, way_to_write
from transforms.output.folder import OutputFolder
from transforms.storage import documents, files
from transforms.text.secrets import redacted

_LITTLE, _TOO_LITTLE = 2_000_000_000, 50_000_000
_PROBE = b"x" * (1 << 16)


def output(folder: str) -> Iterator[Diagnosis]:
    """Yields whether a download could write its files."""
    try:
        meta = OutputFolder(folder).meta
    except OSError as error:
        words, _, way_out = str(error).rpartition(": ")
        if error.errno:
            # Of the system; without a number it is of this program, and ends with what to do.
            words, way_out = reason_of(error), way_to_write("output")
        yield Diagnosis(FAIL, "output", words, way_out)
        return
    yield from _folder("output", folder, meta)
    if problem := on_two_disks(OutputFolder(folder)):
        yield Diagnosis(FAIL, "output", problem, "remove the link, or choose another --output")


def history(metrics: str) -> Iterator[Diagnosis]:
    """Yields whether runs could be kept, and which files in their history are no runs."""
    if not is_sql(metrics):
        writable = list(_folder("metrics", metrics))
        yield from writable
        if any(diagnosis.level == FAIL for diagnosis in writable):
            return
    try:
        store = open_to_read(metrics)
        runs = len(list(store.heads(Query(limit=20))))
    except StoreError as error:
        yield Diagnosis(
            FAIL, "metrics", str(error), "choose another --metrics, or see that it can be reached"
        )
        return
    if store.skipped:
        yield Diagnosis(
            WARN,
            "metrics",
            f"{count(len(store.skipped), 'file')} of another kind, such as: {store.skipped[0]}",
            f"move them out of {redacted(metrics)}",
        )
    number = "20 runs or more" if runs == 20 else count(runs, "run")
    yield Diagnosis(OK, "metrics", f"{number} in {store.name}")


def _folder(about: str, *folders: str) -> Iterator[Diagnosis]:
    folder = folders[0]
    try:
        files.check_place(folder)
        local = files.is_local(folder)
        if not local:
            next(files.below(folder), None)
    except (OSError, ValueError) as error:
        yield Diagnosis(
            FAIL,
            about,
            f"{redacted(folder)}: {error}",
            "make it, or look at its address and credentials",
        )
        return
    if not local:
        yield _far(about, folder)
        return
    places = list(dict.fromkeys(map(nearest, folders)))
    for place in places:
        if (diagnosis := _writable(about, folder, place)).level == FAIL:
            break
    yield diagnosis
    yield _room(about, places[0])


def _far(about: str, folder: str) -> Diagnosis:
    temporary = OutputFolder(folder).unfinished
    probe = f"{temporary}/doctor-{uuid.uuid4().hex}.json"
    try:
        documents.write_json(probe, {}, temporary)
        files.remove(probe)
    except OSError as error:
        return Diagnosis(
            FAIL,
            about,
            f"{redacted(folder)} can be listed and not written to: {error}",
            "let these credentials write, remove and list objects there",
        )
    return Diagnosis(OK, about, f"{redacted(folder)} can be listed and written to")


def _writable(about: str, folder: str, place: Path) -> Diagnosis:
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".greeks-doctor-") as probe:
            probe.write(_PROBE)
            probe.flush()
    except OSError as error:
        return Diagnosis(
            FAIL,
            about,
            f"{folder}: {error.strerror} in {place}",
            way_to_write(about),
        )
    return Diagnosis(OK, about, f"{folder} can be written to")


def _room(about: str, place: Path) -> Diagnosis:
    free = shutil.disk_usage(place).free
    level, words = OK, f"{size_text(free)} free"
    if free < _LITTLE:
        level = WARN if free >= _TOO_LITTLE else FAIL
    if free_entries(str(place)) == 0:
        level, words = FAIL, f"{words}, and no inodes"
    way_out = "free some; greeks plan estimates how much a download takes" * (level != OK)
    return Diagnosis(level, f"disk of {about}", words, way_out)
