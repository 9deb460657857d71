"""Files at rest: found, read in batches, and compared."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.inspection.comparison import compare as compare
    from pipeline.inspection.files import UnreadableFile as UnreadableFile
    from pipeline.inspection.files import find_files as find_files
    from pipeline.inspection.reader import read_batches as read_batches

# pyarrow's readers wait for the first file.
__getattr__ = face(
    __name__,
    comparison=["compare"],
    files=["UnreadableFile", "find_files"],
    reader=["read_batches"],
)
