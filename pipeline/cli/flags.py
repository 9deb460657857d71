"""The flags of `greeks download`, for argparse: its settings, and the file of settings."""

import argparse
from dataclasses import replace
from typing import Any

from pipeline.config import DownloadConfig
from pipeline.config.download_config import SETTINGS, settle
from pipeline.config.setting import Setting
from pipeline.config.values import text_of


def add_download_flags(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Adds the flags of `greeks download` to a parser, by groups.

    Args:
        parser: to add them to.
        required: whether the flags without a default must be given.
    """
    titles = dict.fromkeys(setting.group for setting in SETTINGS)
    groups = {title: parser.add_argument_group(title) for title in titles}
    for setting in SETTINGS:
        _add(groups[setting.group], setting, required=required and setting.required)
    parser.add_argument_group("file of settings").add_argument(
        "--config",
        metavar="FILE",
        help="TOML file whose keys are the names of flags, also of Beam's; a flag on the command "
        "line wins (default: no file)",
    )


def add_flag(parser: argparse._ActionsContainer, name: str, **changes: Any) -> None:
    """Adds one flag of `greeks download` to another command.

    Args:
        parser: to add it to.
        name: of the setting.
        changes: what this command has otherwise, such as `help`, as `Setting` has it.
    """
    (found,) = (setting for setting in SETTINGS if setting.name == name)
    _add(parser, replace(found, **changes), required=False)


def add_progress_flags(parser: argparse._ActionsContainer) -> None:
    """Adds the flags of how a command shows its progress."""
    for name in ("progress", "progress_seconds"):
        add_flag(parser, name)


def config_from(options: argparse.Namespace) -> DownloadConfig:
    """Returns the configuration that parsed flags make.

    Raises:
        ConfigError: one has a value that can't be used.
    """
    settle(options)
    return DownloadConfig(**{each.name: getattr(options, each.name) for each in SETTINGS})


def _add(parser: argparse._ActionsContainer, setting: Setting, *, required: bool) -> None:
    if setting.kind is not bool:
        parser.add_argument(
            f"--{setting.flag}",
            dest=setting.name,
            type=setting.parse or str,
            default=setting.default,
            required=required,
            choices=setting.choices or None,
            metavar=setting.metavar or None,
            help=f"{setting.help} ({_default_text(setting)})".replace("%", "%%"),
        )
    for switch in setting.switches:
        is_default = setting.kind is bool and switch.value == setting.default
        parser.add_argument(
            f"--{switch.flag}",
            dest=setting.name,
            action="store_const",
            const=switch.value,
            default=setting.default,
            help=switch.help.replace("%", "%%") + (" (default)" if is_default else ""),
        )


def _default_text(setting: Setting) -> str:
    if setting.required:
        return "required"
    return f"default: {setting.default_text or text_of(setting.default)}"
