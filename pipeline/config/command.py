"""A configuration as the command that would make it: what an error can tell a user to type."""

import shlex
from dataclasses import fields
from datetime import date
from typing import Any

from pipeline.config.download_config import DownloadConfig
from transforms.output.layout import COMPRESSIONS

# Fields that a flag names otherwise.
FLAGS = {"symbols": "symbol", "version": "greeks_version"}
# Flags that turn off what is on otherwise.
_OFF = {"check_disk": "--no_disk_check", "check": "--no_check"}


def command_of(config: DownloadConfig) -> str:
    """Returns the `greeks download` that asks for just this; defaults are left out."""
    words = ["greeks", "download"]
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name != "compression" and value == field.default:
            continue
        if field.name == "parameters":
            for name, given in value:
                words += [f"--{FLAGS.get(name, name)}", given]
        elif field.name in _OFF:
            words.append(_OFF[field.name])
        elif not _implied(config, field.name, value):
            words += [f"--{FLAGS.get(field.name, field.name)}", _text(value)]
    return shlex.join(words)


def _implied(config: DownloadConfig, name: str, value: Any) -> bool:
    """Whether another flag, or none, gives this value."""
    others = {
        "end_date": config.start_date,
        "interval": config.greeks,
        "compression": next(iter(COMPRESSIONS[config.format])),
    }
    return name in others and bool(value == others[name])


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    if isinstance(value, date):
        return value.isoformat()
    return f"{value:g}" if isinstance(value, float) else str(value)
