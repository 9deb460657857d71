"""What keeps a file back: findings above their limits."""

from dataclasses import dataclass

from transforms.model import Failure, GreeksRequest
from transforms.quality.check import QualityCheck
from transforms.quality.findings import Quality
from transforms.quality.limits import Limit, broken


@dataclass(frozen=True)
class QualityGate:
    """Whether rows are checked on their way to a file, and which findings keep the file back.

    Attributes:
        on: whether rows are checked.
        limits: the findings that pass; one that exceeds its limit fails the expiration.
    """

    on: bool = True
    limits: tuple[Limit, ...] = ()

    def begin(self, request: GreeksRequest) -> QualityCheck | None:
        """Returns a new check of a request's rows, or None if rows are not checked."""
        return QualityCheck.of(request) if self.on else None

    def failure(self, quality: Quality | None) -> Failure | None:
        """Returns why a file must be kept back, or None if it may be committed.

        Args:
            quality: of the file's rows; None if they were not checked.
        """
        if quality is None:
            return None
        above = broken(self.limits, quality.found, quality.rows)
        if not above:
            return None
        return Failure(
            "QualityTooLow",
            f"--fail_on {'; '.join(above)}. No file was written; the examples are in the run "
            "summary. Download it again, or raise the limit",
        )
