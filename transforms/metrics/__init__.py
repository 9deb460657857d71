"""Counters, live messages and the run summary."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.metrics.record import EmitRunSummary as EmitRunSummary
    from transforms.metrics.record import RecordResults as RecordResults
    from transforms.metrics.record import SummarizeRun as SummarizeRun
    from transforms.metrics.reporter import Reporter as Reporter
    from transforms.metrics.summary import RunSummary as RunSummary
else:
    # All but the summary import Beam.
    __getattr__ = face(
        __name__,
        record=["EmitRunSummary", "RecordResults", "SummarizeRun"],
        reporter=["Reporter"],
        summary=["RunSummary"],
    )
