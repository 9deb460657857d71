"""A configuration as the command that would make it: what an error can suggest to type."""

import shlex
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from pipeline.config.download_config import SETTINGS, DownloadConfig
from pipeline.config.setting import Setting
from pipeline.process.program import program
from transforms.text.secrets import redacted


def command_of(config: DownloadConfig) -> str:
    """Returns the `greeks download` of a configuration; defaults are left out, secrets hidden."""
    return shlex.join([*program(), "download", *_flags(config)])


def recorded_flags(request: Mapping[str, Any]) -> str:
    """Returns the flags of the download that a run's record has; defaults are left out.

    Args:
        request: as `DownloadConfig.describe` returned it, maybe of another version: what it lacks
            had its default, and what is not known now is left out.
    """
    parameters = request.get("parameters") or {}
    values = {}
    for setting in SETTINGS:
        value = setting.default
        if setting.parameter:
            value = parameters.get(setting.parameter, value)
        elif setting.in_record:
            value = request.get(setting.flag, value)
        values[setting.name] = tuple(value) if isinstance(value, list) else value
    return shlex.join(_flags(SimpleNamespace(**values)))


def _flags(settings: Any) -> Iterator[str]:
    for setting in SETTINGS:
        value = getattr(settings, setting.name)
        if value is not None and value != _default(setting, settings):
            yield from map(redacted, setting.words(value))


def _default(setting: Setting, settings: Any) -> object:
    try:
        return setting.default_for(settings)
    except (KeyError, ValueError):
        return None  # it depends on a value that a record has and that is not known now
