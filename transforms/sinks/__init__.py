"""One file of a format for each expiration."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.sinks.base import ExpirationSink as ExpirationSink
    from transforms.sinks.formats import FORMATS as FORMATS
    from transforms.sinks.formats import make_sink as make_sink
    from transforms.sinks.formats import sink_for as sink_for
else:
    # They import Beam, which the encoding of CSV does without.
    __getattr__ = face(
        __name__, base=["ExpirationSink"], formats=["FORMATS", "make_sink", "sink_for"]
    )
