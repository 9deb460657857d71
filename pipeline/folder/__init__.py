"""The output folder: who writes to it, whether it is whole, and how to query it."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.folder.catalog import print_catalog as print_catalog
    from pipeline.folder.catalog import write_catalog as write_catalog
    from pipeline.folder.lock import output_lock as output_lock
    from pipeline.folder.repairs import repair as repair
    from pipeline.folder.verification import verify as verify

# These import Beam.
__getattr__ = face(
    __name__,
    catalog=["print_catalog", "write_catalog"],
    lock=["output_lock"],
    repairs=["repair"],
    verification=["verify"],
)
