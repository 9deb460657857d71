"""Files of other requests are found before anything is fetched, and left as they are."""

from pipeline.config import DownloadConfig
from pipeline.plan import Plan
from transforms.layout import Layout
from transforms.manifest import Manifest

_SHOWN = 3


class Conflict(Exception):
    """Files of other requests are in the way."""


def refuse_conflicts(plan: Plan, layout: Layout, source: str, config: DownloadConfig) -> None:
    """Returns if every file of a plan may be written.

    Raises:
        Conflict: another request made one of them, or two of the plan's would.
        OSError: the manifest can't be read.
        ValueError: an entry of the manifest is broken.
    """
    manifest = Manifest(layout)
    paths: dict[str, str] = {}
    problems = []
    for request in plan.requests:
        path = layout.path(request)
        if path in paths:
            problems.append(f"{path} would be made by {paths[path]} and by {request}")
        paths[path] = str(request)
        problem = manifest.conflict(request, source)
        if problem:
            problems.append(problem)
    if problems:
        more = f"\n(and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        raise Conflict(
            "nothing was fetched, and every file is as it was:\n"
            + "\n".join(problems[:_SHOWN])
            + more
            + f"\nTo keep both, write this one elsewhere, such as --output {_elsewhere(config)}"
        )


def _elsewhere(config: DownloadConfig) -> str:
    """A folder whose name says what makes this request another one."""
    span = dict.fromkeys((f"{config.start_date:%Y%m%d}", f"{config.end_date:%Y%m%d}"))
    parts = [config.output.rstrip("/"), *span, config.interval]
    if config.greeks not in ("first_order", config.interval):
        parts.append(config.greeks)
    return "-".join(parts)
