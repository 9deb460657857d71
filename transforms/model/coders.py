"""The coder of the elements between `FetchGreeks` and `WriteGreeks`, and their sizes."""

import pickle
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.model.stream import Item

_ROWS, _OTHER = b"r", b"o"
_FEW_BYTES = 256  # about the size of an item without rows


class Streamed:
    """Stands for `model.Item` where Beam chooses a coder: that belongs to a class."""


class ItemCoder(beam.coders.Coder):
    """Codes an `Item`: rows as an Arrow stream, all else by pickle.

    The two transforms are fused, so that nothing is coded on the way. But Beam samples how large
    the elements are, some fifty of each worker's, and would pickle each of them for that: 3 to 6 %
    of the time of two million rows.
    """

    def encode(self, value: Item) -> bytes:
        """Returns the bytes of an item; of a slice, those of its rows alone."""
        if not isinstance(value, pa.RecordBatch):
            return _OTHER + pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        out = pa.BufferOutputStream()
        out.write(_ROWS)
        with pa.ipc.new_stream(out, value.schema) as stream:
            stream.write_batch(value)
        return bytes(out.getvalue())

    def decode(self, encoded: bytes) -> Any:
        """Returns the item of `encode`'s bytes."""
        if encoded[:1] == _OTHER:
            return pickle.loads(encoded[1:])  # noqa: S301 -- our own, within one run
        with pa.ipc.open_stream(pa.py_buffer(encoded).slice(1)) as stream:
            return stream.read_next_batch()

    def estimate_size(self, value: Item) -> int:
        """Returns about how many bytes `encode` gives, without coding anything."""
        return int(value.nbytes) if isinstance(value, pa.RecordBatch) else _FEW_BYTES

    def is_deterministic(self) -> bool:
        """Returns False: no item is a key."""
        return False


beam.coders.registry.register_coder(Streamed, ItemCoder)
