"""The Theta Terminal's client, usable without Beam."""

from transforms.thetadata.client import ThetaClient
from transforms.thetadata.connect import find_terminal
from transforms.thetadata.errors import (
    AnswerChanged,
    BrokenResponse,
    MalformedResponse,
    NoData,
    NotServed,
    StatusError,
    TerminalUnreachable,
    ThetaError,
)
from transforms.thetadata.retry import RetryPolicy

__all__ = [
    "AnswerChanged",
    "BrokenResponse",
    "MalformedResponse",
    "NoData",
    "NotServed",
    "RetryPolicy",
    "StatusError",
    "TerminalUnreachable",
    "ThetaClient",
    "ThetaError",
    "find_terminal",
]
