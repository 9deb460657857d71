"""Beam's own flags behind ours: every one is checked, since Beam drops what it does not know."""

import argparse
import difflib
import re
from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

from pipeline.config import ConfigError


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
    return PipelineOptions(list(flags))


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
    near = difflib.get_close_matches(flag, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; see greeks download --help"
    return f"{flag} is neither a flag of greeks nor of Beam{hint}"
