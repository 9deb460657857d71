"""Beam's own flags behind ours: every one is checked, since Beam drops what it does not know."""

import argparse
import re
from collections.abc import Sequence
from typing import Any

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    S3Options,
    StandardOptions,
)

from pipeline.cli.parser import not_a_flag
from pipeline.errors import ConfigError
from pipeline.runners.job_servers import check_runner


class _Options(PipelineOptions):
    """Beam's options, of which each view is made once: while a graph is made, Beam asks for 200."""

    def view_as(self, cls: type[PipelineOptions]) -> Any:
        views: dict[type[PipelineOptions], PipelineOptions] = self.__dict__.setdefault("_views", {})
        view = views.get(cls)
        if view is None:
            view = views[cls] = super().view_as(cls)
        return view


def parse_beam_flags(flags: Sequence[str], own: Sequence[str]) -> PipelineOptions:
    """Returns Beam's options from the flags that are not ours.

    Args:
        flags: what our parser left over.
        own: our flags, to suggest the nearest one.

    Raises:
        ConfigError: a flag is neither ours nor Beam's, or stands without a name.
        SystemExit: with status 2, after Beam's own message, if one of its values is wrong.
    """
    parser = _parser()
    _, unknown = parser.parse_known_args(list(flags))
    if unknown:
        known = [*own, *re.findall(r"--\w+", parser.format_help())]
        raise ConfigError(_unknown(unknown[0].partition("=")[0], known))
    options = _Options(list(flags))
    check_runner(options.view_as(StandardOptions).runner or "", options)
    return options


def beam_flags() -> list[str]:
    """Returns the names of Beam's flags, without hyphens before them."""
    return [
        option.removeprefix("--")
        for option in _parser()._option_string_actions
        if option.startswith("--") and option != "--help"
    ]


def given_beam_flags(flags: Sequence[str], own: Sequence[str]) -> dict[str, Any]:
    """Returns the values of those flags of Beam that are given, by name.

    Raises:
        ConfigError: as `parse_beam_flags`.
        SystemExit: likewise.
    """
    parse_beam_flags(flags, own)
    parser = _parser()
    parsed, _ = parser.parse_known_args(list(flags))
    given = {flag.partition("=")[0] for flag in flags}
    return {
        option.removeprefix("--"): getattr(parsed, action.dest)
        for option, action in parser._option_string_actions.items()
        if option in given
    }


def take_storage_flags(flags: Sequence[str]) -> list[str]:
    """Gives Beam's file systems the flags of object stores, and returns the other flags.

    For the commands that only read and write files.

    Args:
        flags: such as `--s3_endpoint_url http://localhost:9000`.

    Raises:
        SystemExit: with status 2, after argparse's own message, if a flag lacks its value.
    """
    parser = argparse.ArgumentParser(
        prog="greeks", usage="greeks COMMAND [FLAG ...] [--s3_… VALUE ...]", allow_abbrev=False
    )
    for options in (S3Options, GoogleCloudOptions):
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(flags))
    if not unknown:
        FileSystems.set_options(PipelineOptions(list(flags)))
    return unknown


def _parser() -> argparse.ArgumentParser:
    """Returns the parser of all of Beam's options, as Beam itself makes it."""
    made: list[argparse.ArgumentParser] = []
    PipelineOptions([]).get_all_options(add_extra_args_fn=made.append)
    # For its errors: its own usage is a page of every option there is.
    made[0].usage = "greeks download [FLAG ...] [BEAM_FLAG ...]"
    return made[0]


def _unknown(flag: str, known: Sequence[str]) -> str:
    if not flag.startswith("--"):
        return f"{flag!r} stands alone: every value needs its flag, and lists take commas"
    return not_a_flag(flag, known)
