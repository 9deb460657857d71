"""One run at a time in an output folder: a lock that the kernel drops with its owner."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

from pipeline.errors import Conflict
from pipeline.folder.writers import leave_note, others, sweep
from pipeline.messages import PRINTED, Messages
from pipeline.text import reason_of, way_to_write
from transforms.output.folder import OutputFolder, part_of
from transforms.output.layout import Layout
from transforms.storage import documents, files
from transforms.workers.process import ProcessId

_PATIENCE = 0.2
"""Seconds for which a lock that another process has is tried again."""


@contextmanager
def output_lock(layout: Layout, messages: Messages = PRINTED) -> Iterator[None]:
    """Keeps other runs out of the output folder while the block lasts.

    The lock is on `<output>.meta/lock`, which names its owner. It ends with the process, however
    that ends, so that none is ever left behind. On a file system without locks, such as an object
    store, there is none: a lock that is an object would outlive a killed run. Commits are whole
    there, too; whoever else may be writing is named, and the run goes on.

    Whoever has the lock has also seen that the folder can be written to, and removes its run's
    unfinished files before others get in.

    Raises:
        Conflict: another run has it; who, and where. Or the folder can't be written to, or is a
            part of another one.
    """
    if not files.is_local(layout.output):
        with _explained(layout):
            leave_note(layout)
        for other in others(layout.folder, layout.run_id):
            messages.warn(
                f"note: {other}, is writing to {layout.output}, too, or was killed: of a file that "
                "both have to write the first one stays, and the other run reports it"
            )
        try:
            yield
        finally:
            sweep(layout.folder, layout.run_id, messages)
        return
    if part := part_of(layout.folder):
        raise Conflict(f"--output {part}")
    with _explained(layout):
        files.make_folder(layout.folder.target)
        files.make_folder(layout.folder.meta)
        descriptor = os.open(layout.folder.lock, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        try:
            # Whoever looks whether a run is under way has the lock for a moment.
            taken = _taken(descriptor, fcntl.LOCK_EX, _PATIENCE)
        except OSError as error:
            raise Conflict(
                f"{layout.folder.lock} can't be locked ({error}), so that nothing would keep two "
                "runs apart: choose an --output on another file system"
            ) from error
        if not taken:
            raise Conflict(
                f"another run is writing to {layout.output}: {_owner(layout.folder)}. Nothing was "
                "fetched. Wait for its end, or choose another --output"
            )
        os.ftruncate(descriptor, 0)
        owner = asdict(ProcessId.current()) | {"run_id": layout.run_id}
        try:
            with _explained(layout):
                os.pwrite(descriptor, json.dumps(owner).encode(), 0)
                _try_to_write(layout)
            yield
        finally:
            sweep(layout.folder, layout.run_id, messages)
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def _explained(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if isinstance(error, FileExistsError | NotADirectoryError):
            way_out = "; there is a file in its place: choose another folder"
        else:
            # Without a number it is of this program, and says itself what to do.
            way_out = f"; {way_to_write('output')}" * bool(error.errno)
        raise Conflict(
            f"--output {layout.output} can't be written to: {reason_of(error)}{way_out}"
        ) from error


def _try_to_write(layout: Layout) -> None:
    """Checks that a file can be written.

    Raises:
        OSError: it can't.
    """
    probe = f"{layout.temporary}/probe.json"
    documents.write_json(probe, {}, layout.temporary)
    files.remove(probe)


def holder(folder: OutputFolder) -> str | None:
    """Returns who is writing to the output folder, or None if nobody is known to.

    Raises:
        OSError: the lock can't be opened, or the notes that stand for it can't be read.
    """
    if not files.is_local(folder.path):
        return next(map(str, others(folder)), None)
    try:
        descriptor = os.open(folder.lock, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        return None if _taken(descriptor, fcntl.LOCK_SH) else _owner(folder)
    finally:
        os.close(descriptor)


def _taken(descriptor: int, kind: int, patience: float = 0.0) -> bool:
    """Returns whether the lock could be had within so many seconds.

    Raises:
        OSError: the file system has no locks.
    """
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.01)
        else:
            return True


def _owner(folder: OutputFolder) -> str:
    # Its owner may be about to write it, or to end.
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        owner = documents.read_json(folder.lock)
        return f"process {owner['pid']} on {owner['host']}, run {owner['run_id']}"
    return "a process that has just begun"
