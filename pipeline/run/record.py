"""The record of a run that ended: the graph's summary and the launcher's figures."""

import platform
from datetime import datetime, timezone
from importlib.metadata import version

import pyarrow as pa

from pipeline.config import DownloadConfig
from pipeline.history import Record
from transforms.metrics.summary import RunSummary
from transforms.native import compiled
from transforms.version import __version__


def completed(
    begun: Record,
    summary: RunSummary,
    config: DownloadConfig,
    status: str,
    seconds: float,
    runner: str,
) -> Record:
    """Returns the whole record of a run.

    Args:
        begun: its record so far.
        summary: of the graph.
        config: of the run.
        status: one of the history's.
        seconds: that it took.
        runner: the name of Beam's runner.
    """
    so_far = {name: value for name, value in begun.items() if name != "owner"}
    first = {name: so_far.pop(name) for name in ("run_id", "status", "start_time")}
    last = {name: so_far.pop(name, None) for name in ("contracts", "pace", "samples")}
    document = dict(vars(summary))
    expirations = document.pop("expirations")
    return {
        **first,
        "status": status,
        "end_time": datetime.now(timezone.utc).isoformat(),
        "total_duration": round(seconds, 3),
        **document,
        "average_throughput": round(summary.total_records / seconds, 1),
        "output_format": config.format,
        "compression_used": config.compression,
        **so_far,
        "runner": runner,
        "versions": versions(),
        "expirations": expirations,
        **last,
    }


def versions() -> dict[str, str]:
    """Returns the versions of the software that made a run's files."""
    return {
        "theta-greeks-pipeline": __version__,
        "apache-beam": version("apache-beam"),
        "pyarrow": pa.__version__,
        "python": platform.python_version(),
        "csv": "compiled" if compiled.AVAILABLE else "arrow",
    }
