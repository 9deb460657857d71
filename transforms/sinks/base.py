"""The custom FileBasedSink: one file for each expiration, whatever its format."""

import contextlib
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from apache_beam.coders import BytesCoder
from apache_beam.io.filebasedsink import FileBasedSink
from apache_beam.io.filesystem import CompressionTypes

from transforms.output.layout import Layout
from transforms.sinks.hashing_file import HashingFile
from transforms.storage import files
from transforms.storage.base import PendingFile
from transforms.storage.commit import begin
from transforms.workers.turns import CONVERTING


@dataclass
class OpenFile:
    """The handle of one unfinished file.

    Attributes:
        schema: of its rows.
        unfinished: where the bytes are stored.
        file: counts and hashes the bytes on their way there.
        writer: the format's own writer.
        lines: that a format of lines has written, without its header.
    """

    schema: pa.Schema
    unfinished: PendingFile
    file: HashingFile
    writer: Any = None
    lines: int = 0


@dataclass(frozen=True)
class Written:
    """A complete file that is not in place yet.

    Attributes:
        rows: in it.
        bytes: that were written.
        stored: bytes that the file system or store counts, or None; see `PendingFile.seal`.
        sha256: of the bytes that were written, in hexadecimal.
    """

    rows: int
    bytes: int
    stored: int | None
    sha256: str


class ExpirationSink(FileBasedSink, ABC):
    """Writes each expiration's rows to a file of its own, and commits it at once.

    `FileBasedSink` opens the files on Beam's file systems. Its finalization is not used:
    it would hold every file back until the run ends.

    The life of a file: `create` (which writes the header), `write_record` for each row group,
    `close`, `commit`; or `discard` at any time. Nobody sees it before `commit`. Rows come in the
    groups of `RowGroups`, so that the bytes depend on the rows alone and not on how their batches
    were cut.

    Args:
        layout: where temporary and finished files go.
        compression: one of `COMPRESSIONS[NAME]`.

    Attributes:
        NAME: of the format, as `--format` takes it.
        MIME_TYPE: of the files.
    """

    NAME: str
    MIME_TYPE: str

    def __init__(self, layout: Layout, compression: str) -> None:
        super().__init__(
            layout.output,
            BytesCoder(),
            file_name_suffix=layout.suffix,
            mime_type=self.MIME_TYPE,
            # The formats compress for themselves: Arrow does it without holding the GIL, and
            # the bytes that are counted and hashed are those on the disk.
            compression_type=CompressionTypes.UNCOMPRESSED,
        )
        self.layout = layout
        self.compression = compression

    @abstractmethod
    def begin(self, file: HashingFile, schema: pa.Schema) -> Any:
        """Writes what a file begins with and returns the format's writer."""

    @abstractmethod
    def write_rows(self, handle: OpenFile, rows: pa.Table) -> None:
        """Writes a row group, which is one chunk a column."""

    @abstractmethod
    def end(self, handle: OpenFile) -> None:
        """Writes what a file ends with."""

    @abstractmethod
    def rows_written(self, handle: OpenFile) -> int:
        """Returns the number of rows in a closed file.

        They are read or counted in the very bytes that were written; they are not taken from the
        caller, since they are compared with what the caller says.
        """

    def create(self, path: str, schema: pa.Schema) -> OpenFile:
        """Begins a new file, with its header if the format has one, and returns its handle.

        Args:
            path: where `commit` puts the file. Until then its bytes are elsewhere: in the run's
                temporary folder, opened by `open`, or in an upload to a store.
            schema: of its rows.

        Raises:
            OSError: from here on every method may: the file system refuses.
        """
        unfinished = begin(path, self.layout.temporary_path(), self.MIME_TYPE, self.open)
        handle = OpenFile(schema, unfinished, HashingFile(unfinished.file))
        try:
            handle.writer = self.begin(handle.file, schema)
        except BaseException:
            self.discard(handle)
            raise
        return handle

    def open(self, temp_path: str) -> Any:
        """Opens an unfinished file on any of Beam's file systems: on this machine's own directly.

        (Beam looks at all that it knows for each file, and for the folder of each.)
        """
        return files.create(temp_path) if files.is_local(temp_path) else super().open(temp_path)

    def write_record(self, file_handle: OpenFile, value: pa.RecordBatch) -> None:
        """Writes a row group, as `RowGroups` yields them.

        Raises:
            pa.ArrowInvalid: the rows have another schema than the file's.
        """
        with CONVERTING:
            self.write_rows(file_handle, pa.Table.from_batches([value], file_handle.schema))

    def close(self, file_handle: OpenFile) -> Written:
        """Finishes the file and returns its totals."""
        self.end(file_handle)
        file_handle.file.close()
        file_handle.writer = None
        rows = self.rows_written(file_handle)
        stored = file_handle.unfinished.seal()
        return Written(rows, file_handle.file.bytes, stored, file_handle.file.sha256)

    def commit(self, file_handle: OpenFile, over: str | None = None) -> None:
        """Makes a closed file visible, in one step.

        Args:
            file_handle: of the file.
            over: the `files.mark` of what may be replaced; None for any.

        Raises:
            OSError: it could not be done; the file that was there is as it was.
        """
        file_handle.unfinished.commit(over)

    def discard(self, file_handle: OpenFile) -> None:
        """Closes and removes an unfinished file.

        Where even that fails, on a disk that was made read-only, it stays in the temporary folder,
        which the next run clears.
        """
        file_handle.file.abandon()
        with contextlib.suppress(OSError):
            file_handle.unfinished.discard()
