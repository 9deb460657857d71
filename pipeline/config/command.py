"""A configuration as the command that would make it: what an error can suggest to type."""

import shlex

from pipeline.config.download_config import SETTINGS, DownloadConfig
from pipeline.process.program import program
from transforms.secrets import redacted


def command_of(config: DownloadConfig) -> str:
    """Returns the `greeks download` of a configuration; defaults are left out, secrets hidden."""
    words = [*program(), "download"]
    for setting in SETTINGS:
        value = getattr(config, setting.name)
        if value != setting.default_for(config):
            words += map(redacted, setting.words(value))
    return shlex.join(words)
