"""A file that knows what went through it."""

import contextlib
import hashlib
from typing import Any

import pyarrow as pa


class HashingFile:
    """A writable file that counts and hashes the bytes on their way to another one.

    Arrow asks a Python file for `closed` as an attribute, which Beam's files do not all have.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._sha256 = hashlib.sha256()
        self._abandoned = False
        self._kept: list[bytes] | None = None
        self.bytes = 0
        self.closed = False

    @property
    def sha256(self) -> str:
        """The hash of the bytes so far, in hexadecimal."""
        return self._sha256.hexdigest()

    def write(self, data: bytes | memoryview | pa.Buffer) -> int:
        """Writes all of `data`."""
        view = memoryview(data)
        if not self._abandoned:
            self._file.write(view)
            self._sha256.update(view)
            self.bytes += view.nbytes
            if self._kept is not None:
                self._kept.append(bytes(view))
        return view.nbytes

    def keep(self) -> None:
        """From now on keeps the bytes written, for `kept`."""
        self._kept = []

    def kept(self) -> bytes:
        """Returns what was written since `keep`, and keeps it no longer."""
        kept, self._kept = self._kept or [], None
        return b"".join(kept)

    def flush(self) -> None:
        """Flushes the file."""
        if not self._abandoned:
            self._file.flush()

    def close(self) -> None:
        """Closes the file."""
        if not self.closed:
            self.closed = True
            if not self._abandoned:
                self._file.close()

    def abandon(self) -> None:
        """Closes the file, and from now on drops the bytes written.

        Parquet's writer writes its footer when it is collected: it needs a file that seems open.
        """
        if not (self._abandoned or self.closed):
            self._abandoned = True
            # The disk may be full: what could not be written is about to be removed anyway.
            with contextlib.suppress(OSError):
                self._file.close()

    def tell(self) -> int:
        """Returns the number of bytes written."""
        return self.bytes

    def readable(self) -> bool:
        """Returns False."""
        return False

    def writable(self) -> bool:
        """Returns True."""
        return True

    def seekable(self) -> bool:
        """Returns False."""
        return False
