"""What the manifest tells of how a file's Greeks were computed."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from transforms.audit.assumptions import Assumptions
from transforms.quality.check import clock_ms


def assumptions_of(path: str, told: Assumptions) -> Assumptions:
    """Returns what is known of a file: what was told, and else what its manifest says.

    Args:
        path: the file; one of another tool, or moved out of its folder, has no manifest.
        told: what flags say.
    """
    request = _request(Path(path).absolute())
    if not request:
        return told
    known: dict[str, Any] = {}
    if told.annual_dividend is None and "annual_dividend" in request:
        known["annual_dividend"] = float(request["annual_dividend"])
    if told.version is None and "version" in request:
        known["version"] = request["version"]
    if told.interval is None and "interval" in request:
        known["interval"] = request["interval"]
    for name, default in (("start_time", told.start_ms), ("end_time", told.end_ms)):
        known[name.replace("time", "ms")] = clock_ms(request.get(name), default)
    return replace(told, **known)


def _request(path: Path) -> dict[str, str]:
    for folder in path.parents[:-1]:  # the root has no place beside it
        name = path.relative_to(folder).as_posix()
        entry = folder.with_name(f"{folder.name}.meta") / "files" / f"{name}.json"
        try:
            return dict(json.loads(entry.read_text("utf-8"))["request"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return {}
