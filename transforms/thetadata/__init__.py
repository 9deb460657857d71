"""The Theta Terminal's client, usable without Beam."""

from transforms.thetadata.client import ThetaClient
from transforms.thetadata.errors import (
    BrokenResponse,
    MalformedResponse,
    NoData,
    StatusError,
    TerminalUnreachable,
    ThetaError,
)

__all__ = [
    "BrokenResponse",
    "MalformedResponse",
    "NoData",
    "StatusError",
    "TerminalUnreachable",
    "ThetaClient",
    "ThetaError",
]
