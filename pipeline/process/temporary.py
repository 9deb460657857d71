"""A folder of this process's own for temporary files, so that what a killed one left is found.

Beam makes folders for each pipeline and each job server, and a run makes its stop file and its
socket, all in the machine's folder for temporary files. They are removed at the end, which a killed
process never comes to.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from transforms.workers.process import ProcessId

_PREFIX = "greeks-run-"
_OWNER = "owner.json"
_VARIABLE = "TMPDIR"


@contextmanager
def own_temporary_folder() -> Iterator[None]:
    """Gives this process and its children a temporary folder, which ends with the block.

    Those of this user's processes that are gone are removed first.
    """
    sweep()
    before = tempfile.tempdir, os.environ.get(_VARIABLE)
    with tempfile.TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder:
        (Path(folder) / _OWNER).write_text(json.dumps(asdict(ProcessId.current())), "utf-8")
        tempfile.tempdir = os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            tempfile.tempdir = before[0]
            if before[1] is None:
                del os.environ[_VARIABLE]
            else:
                os.environ[_VARIABLE] = before[1]


def remove_temporary_folder() -> None:
    """Removes this process's folder: for one that ends in the middle of the block."""
    folder = Path(tempfile.gettempdir())
    if folder.name.startswith(_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Removes the folders of this user's processes that are gone."""
    with os.scandir(tempfile.gettempdir()) as entries:
        ours = [each for each in entries if each.name.startswith(_PREFIX)]
    for each in ours:
        # Another sweep may be faster, and a folder without its note is somebody's.
        with suppress(OSError, ValueError, TypeError):
            if not each.is_dir(follow_symlinks=False) or each.stat().st_uid != os.getuid():
                continue
            owner = ProcessId(**json.loads((Path(each.path) / _OWNER).read_text("utf-8")))
            if owner.gone():
                shutil.rmtree(each.path)
