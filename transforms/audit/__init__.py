"""An independent check of rows at rest."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.audit.assumptions import Assumptions as Assumptions
    from transforms.audit.audit import Audit as Audit
    from transforms.audit.recomputation import recompute as recompute
else:
    # They import SciPy.
    __getattr__ = face(
        __name__, assumptions=["Assumptions"], audit=["Audit"], recomputation=["recompute"]
    )
