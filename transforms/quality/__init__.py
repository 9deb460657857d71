"""Checks of rows while they pass by."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.quality.check import QualityCheck as QualityCheck
    from transforms.quality.gate import QualityGate as QualityGate
    from transforms.quality.limits import RULES as RULES
    from transforms.quality.limits import parse_limits as parse_limits
else:
    # The limits alone need no NumPy and no Arrow.
    __getattr__ = face(
        __name__, check=["QualityCheck"], gate=["QualityGate"], limits=["RULES", "parse_limits"]
    )
