"""The run history: one JSON file for each run, kept for ever."""

import json
import os
import socket
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

Record = dict[str, Any]

RUNNING, SUCCEEDED, FAILED, INTERRUPTED, DIED = (
    "running", "succeeded", "failed", "interrupted", "died",
)  # fmt: skip


class RunStore:
    """Run records in a folder: `pipeline-run-<start, UTC>.json`, and `running/` for live ones.

    A run writes its record to `running/` when it starts and moves to the folder when it ends.
    One that was killed can't: the next run finds its start record, and marks it died.

    Args:
        folder: of this machine.

    Raises:
        OSError: from every method, if the folder can't be read or written.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def start(self, record: Record) -> str:
        """Writes the start record and returns the run's id, which no other run has or had.

        `run_id`, `status`, `start_time` and the owner of the run are added to `record`.
        """
        (self._folder / "running").mkdir(parents=True, exist_ok=True)
        while True:
            now = datetime.now(timezone.utc)
            run_id = now.strftime("%Y%m%dT%H%M%S.%fZ")
            record.update(
                run_id=run_id,
                status=RUNNING,
                start_time=now.isoformat(),
                owner=_owner(os.getpid()),
            )
            try:
                self._keep(record, self._running(run_id))
            except FileExistsError:
                continue  # another run started in this very microsecond
            return run_id

    def finish(self, record: Record) -> Path:
        """Keeps the record of an ended run, and returns its file.

        Raises:
            FileExistsError: the run has ended before; that record stands.
        """
        path = self._folder / f"pipeline-run-{record['run_id']}.json"
        self._keep(record, path)
        self._running(record["run_id"]).unlink(missing_ok=True)
        return path

    def bury(self) -> Iterator[Record]:
        """Marks the runs of this machine that were killed as died, and yields their records."""
        for path in sorted((self._folder / "running").glob("*.json")):
            try:
                record = json.loads(path.read_text("utf-8"))
                owner = record["owner"]
                alive = owner["host"] != socket.gethostname() or _owner(owner["pid"]) == owner
            except (ValueError, KeyError, TypeError, FileNotFoundError):
                continue  # not a start record, or its run has just ended
            if alive:
                continue
            try:
                self.finish(record | {"status": DIED})
            except FileExistsError:
                # It ended, or another run buried it, and was cut off before the last step.
                path.unlink(missing_ok=True)
            else:
                yield record

    def _keep(self, record: Record, path: Path) -> None:
        """Writes a record that is not there yet: whole, or not at all."""
        unfinished = self._folder / "running" / f"{uuid.uuid4().hex}.unfinished"
        unfinished.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
        try:
            # A link fails where a rename would replace.
            os.link(unfinished, path)
        finally:
            unfinished.unlink()

    def _running(self, run_id: str) -> Path:
        return self._folder / "running" / f"{run_id}.json"


def _owner(pid: int) -> Record | None:
    """What tells a process from a later one with the same number, or None if there is none."""
    try:
        started = psutil.Process(pid).create_time()
    except psutil.Error:
        return None
    return {"host": socket.gethostname(), "pid": pid, "started": started}
