"""Puts a whole file in place, and its entry into the manifest: both, or neither is trusted."""

import errno
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

from transforms.model import Failure, GreeksRequest, Trailer
from transforms.model.trade_dates import readable
from transforms.orders import schema
from transforms.output.entry import COMMITTED, COMMITTING, EMPTY, Entry
from transforms.output.manifest import Manifest, conflict
from transforms.sinks.base import ExpirationSink, OpenFile, Written
from transforms.storage import files
from transforms.storage.base import Overtaken
from transforms.version import __version__


class WriteError(ValueError):
    """Why an expiration has no new file; the message is whole."""


class InTheWay(WriteError):
    """Another request has made the file meanwhile."""


class NothingNow(WriteError):
    """The Terminal has no data for what it once had: a whole request, or some trade dates of it."""


class NotRecorded(WriteError):
    """The file is in place, but the manifest could not be updated."""


class RowsDiffer(ValueError):
    """The rows of a stream, of the sink and of the file are not the same number."""


class FileCommit:
    """Commits files of one run, and records them in the manifest.

    Args:
        sink: that wrote the files.
        source: of the rows; see `GreeksRequest.origin`.
    """

    def __init__(self, sink: ExpirationSink, source: str) -> None:
        self._sink = sink
        self._source = source
        self._manifest = Manifest(sink.layout.folder)

    def commit(
        self,
        request: GreeksRequest,
        path: str,
        handle: OpenFile,
        trailer: Trailer,
        rows: int,
        quality: dict[str, Any] | None,
        dates_with_rows: str,
    ) -> Written:
        """Closes a file, commits it, and records it.

        Where a file of the same request has these very bytes, it stays, and only what is recorded
        of it is renewed.

        Args:
            request: of the file.
            path: of the file.
            handle: of the file; the caller discards it where this raises.
            trailer: of the request's stream.
            rows: that were handed to the sink.
            quality: `Quality.describe()` of the rows, if they were checked.
            dates_with_rows: the trade dates of the rows, as `trade_dates.spans`.

        Raises:
            WriteError, RowsDiffer: the file and its manifest entry would differ.
            OSError: the file or the manifest can't be written, or another run was faster.
        """
        written = self._sink.close(handle)
        same("rows", handed_over=rows, in_the_file=written.rows)
        if written.stored is not None:
            same("bytes", counted=written.bytes, on_disk=written.stored)
        entry = self._entry(
            COMMITTING,
            request,
            trailer,
            rows=written.rows,
            bytes=written.bytes,
            sha256=written.sha256,
            quality=quality,
            dates_with_rows=dates_with_rows,
        )
        # Another run may have come in between since the launcher looked.
        before, mark = self._manifest.marked_entry_of(path)
        over = files.mark(path)
        in_the_way = conflict(path, before, request, request.origin(self._source))
        if in_the_way:
            if self._manifest.marked_entry_of(path)[1] != mark:
                # What is there came, with its entry, after the entry was looked for.
                raise Overtaken(errno.EEXIST, "another run has replaced it meanwhile", path)
            raise InTheWay(in_the_way)
        old = before if before is not None and _is_whole(before, request, path) else None
        if old is not None and (lost := entry.lacks(old)):
            raise NothingNow(
                f"the Terminal has no data of {request} for {readable(lost)} now, but had when "
                f"{path} was made, which is left as it is: move it away if it should not be there"
            )
        if entry.missing_dates:
            entry = replace(entry, missing_since=(old and old.missing_since) or _now())
        if old is not None and old.sha256 == entry.sha256 == files.sha256(path):
            self._manifest.write(path, entry.committed(), mark)
            self._sink.discard(handle)
            return written
        # Where no file is, and a lock keeps other runs out, one can only be this entry's.
        is_new = files.is_local(path) and not files.exists(path)
        if is_new:
            entry = entry.committed()
        # Where the file system has conditions, no step goes on if another run's came in between.
        mark = self._manifest.write(path, entry, mark)
        self._put_in_place(handle, path, over, mark)
        if is_new:
            return written
        try:
            self._manifest.write(path, entry.committed(), mark)
        except OSError as error:
            raise NotRecorded(
                f"{path} is whole and in place, but the manifest could not be updated, so that the "
                f"next run will fetch it again: {error}{_remedy(error)}"
            ) from error
        return written

    def _put_in_place(
        self, handle: OpenFile, path: str, over: str | None, mark: str | None
    ) -> None:
        """Commits a file whose entry was written last by this run.

        A run whose entry was overwritten may still put its own file in place, which it can't record
        any more. Whoever has overwritten it replaces that file, so that of several runs one wins.

        Raises:
            OSError: the file can't be put in place, or another run was faster.
        """
        try:
            self._sink.commit(handle, over)
        except Overtaken:
            there = files.mark(path)
            if there == over or self._manifest.marked_entry_of(path)[1] != mark:
                raise
            self._put_in_place(handle, path, there, mark)

    def remember_empty(self, request: GreeksRequest, path: str, trailer: Trailer) -> None:
        """Records that the Terminal has no data for a request.

        Raises:
            NothingNow: there is a file of it from before.
            OSError: the manifest can't be written.
        """
        if files.exists(path):
            raise NothingNow(
                f"the Terminal has no data for {request} now, but had when {path} was made, which "
                "is left as it is: move it away if it should not be there"
            )
        self._manifest.write(path, self._entry(EMPTY, request, trailer))

    def _entry(self, state: str, request: GreeksRequest, trailer: Trailer, **more: Any) -> Entry:
        return Entry(
            state=state,
            request=request.describe(),
            source=request.origin(self._source),
            run_id=self._sink.layout.run_id,
            provisional=trailer.provisional,
            format=self._sink.NAME,
            compression=self._sink.compression,
            schema_version=schema.VERSION,
            versions={"theta-greeks-pipeline": __version__, "pyarrow": pa.__version__},
            **more,
        )


def _is_whole(entry: Entry, request: GreeksRequest, path: str) -> bool:
    """Returns whether the file at `path` is the one that an entry says a request made."""
    made = entry.state == COMMITTED and entry.request == request.describe()
    return made and entry.is_there(path)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()


def failure_of(error: Exception, path: str) -> Failure:
    """Returns the failure of an expiration whose file at `path` could not be written."""
    whole = isinstance(error, WriteError)
    message = str(error) if whole else f"{path} could not be written: {error}{_remedy(error)}"
    return Failure(type(error).__name__, message)


def same(what: str, **counts: int) -> None:
    """Checks that all counts of something are equal.

    Raises:
        RowsDiffer: they are not.
    """
    if len(set(counts.values())) > 1:
        each = ", ".join(f"{count:,} {where.replace('_', ' ')}" for where, count in counts.items())
        raise RowsDiffer(f"the {what} differ: {each}")


def _remedy(error: Exception) -> str:
    """Returns the remedy of a file system's error, where there is one."""
    number = error.errno if isinstance(error, OSError) else None
    if number in (errno.ENOSPC, errno.EDQUOT):
        return "; the disk is full: make room and run again, which fetches only what is missing"
    if number in (errno.EROFS, errno.EACCES, errno.EPERM):
        return "; the folder can't be written to: correct that and run again"
    if number == errno.EXDEV:
        return "; a folder inside --output is a link to another disk, or a mount point: undo that"
    return ""
