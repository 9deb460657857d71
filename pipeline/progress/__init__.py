"""Live progress of a run: received, added up, shown and sampled."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.progress.listener import Progress as Progress
    from pipeline.progress.listener import make_display as make_display
    from pipeline.progress.snapshot import Snapshot as Snapshot
    from pipeline.progress.tally import Tally as Tally
    from pipeline.progress.walking import tracked as tracked
    from pipeline.progress.walking import walk as walk

__getattr__ = face(
    __name__,
    listener=["Progress", "make_display"],
    snapshot=["Snapshot"],
    tally=["Tally"],
    walking=["tracked", "walk"],
)
