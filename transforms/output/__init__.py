"""The output folder: paths, the manifest, and what to skip."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.output.entry import Entry as Entry
    from transforms.output.folder import OutputFolder as OutputFolder
    from transforms.output.layout import COMPRESSIONS as COMPRESSIONS
    from transforms.output.layout import Layout as Layout
    from transforms.output.manifest import Manifest as Manifest
    from transforms.output.resume import PROOFS as PROOFS
    from transforms.output.resume import Resume as Resume
    from transforms.output.resume import reason_to_skip as reason_to_skip
else:
    # The manifest imports Beam.
    __getattr__ = face(
        __name__,
        entry=["Entry"],
        folder=["OutputFolder"],
        layout=["COMPRESSIONS", "Layout"],
        manifest=["Manifest"],
        resume=["PROOFS", "Resume", "reason_to_skip"],
    )
