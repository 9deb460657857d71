"""Beam's flags of object stores, for the commands that only read and write files."""

import argparse
from collections.abc import Sequence


def take(flags: Sequence[str]) -> list[str]:
    """Gives Beam's file systems the flags that are theirs, and returns the others.

    Args:
        flags: such as `--s3_endpoint_url http://localhost:9000`.

    Raises:
        SystemExit: with status 2, after argparse's own message, if a flag lacks its value.
    """
    if not flags:
        return []
    # Beam takes half a second: only for who needs it.
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, S3Options

    parser = argparse.ArgumentParser(
        prog="greeks", usage="greeks COMMAND [FLAG ...] [--s3_… VALUE ...]", allow_abbrev=False
    )
    for options in (S3Options, GoogleCloudOptions):
        options._add_argparse_args(parser)
    _, unknown = parser.parse_known_args(list(flags))
    if not unknown:
        FileSystems.set_options(PipelineOptions(list(flags)))
    return unknown
