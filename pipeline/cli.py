"""The command line, `greeks`."""

import argparse
import logging
import re
import sys
from collections.abc import Sequence

from pipeline.config import COMPRESSIONS, ConfigError, DownloadConfig
from pipeline.flags import add_download_flags
from transforms.layout import FIELDS
from transforms.model import PARAMETERS
from transforms.schema import END_OF_DAY
from transforms.version import __version__

_DOWNLOAD_EPILOG = f"""\
examples:
  greeks download --symbol SPXW --start_date 2024-03-14
      every expiration within 30 days of one trade date, from the Terminal on this machine

  greeks download --symbol SPXW,SPX --start_date 2024-03-01 --end_date 2024-03-28 \\
      --max_dte 7 --interval 1m --format parquet --output data/march
      a month of the nearest expirations, every minute

a file name pattern (--file_name_pattern) may use {{{"}, {".join(FIELDS)}}};
dates take a format, as {{expiration:%Y%m%d}}. The suffix is added.

any Beam option may follow, such as --runner. Hyphens do as underscores; no flag is abbreviated.

exit codes: 0 all expirations written or empty, or the market was closed; 1 some failed, or
nothing matched; 2 a wrong flag, or files of another request are in the way; 3 no Terminal answers;
130 or 143 interrupted.
"""


# Flags that are not named as ThetaData names the parameter.
_FLAGS = {"version": "greeks_version"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `greeks` and returns its exit code.

    Raises:
        SystemExit: with status 2 on a usage error, 0 after `--help` or `--version`.
    """
    parser, download_parser = _parsers()
    arguments = _underscored(sys.argv[1:] if argv is None else argv)
    options, rest = parser.parse_known_args(arguments)
    if options.command == "terminal":
        if rest:
            parser.error(f"{rest[0]} is not a flag of greeks terminal; see greeks terminal --help")
        from pipeline.terminal import serve

        return serve(options)
    return _download(download_parser, options, rest)


def _download(
    parser: argparse.ArgumentParser, options: argparse.Namespace, rest: Sequence[str]
) -> int:
    # Beam tells at length, also while it is imported, what is no news to a user.
    logging.getLogger().setLevel(logging.ERROR)
    compression = options.compression or COMPRESSIONS[options.format][0]
    try:
        config = DownloadConfig(
            symbols=tuple(dict.fromkeys(symbol.upper() for symbol in options.symbol)),
            start_date=options.start_date,
            end_date=options.end_date or options.start_date,
            max_dte=options.max_dte,
            expirations=tuple(sorted(set(options.expirations))),
            interval=options.interval or (END_OF_DAY if options.greeks == END_OF_DAY else "5m"),
            greeks=options.greeks,
            parameters=tuple(
                (name, value)
                for name in PARAMETERS
                if (value := getattr(options, _FLAGS.get(name, name))) is not None
            ),
            terminal=options.terminal,
            api=options.api,
            tier=options.tier,
            concurrency=options.concurrency,
            timeout=options.timeout,
            attempts=options.attempts,
            retry_seconds=options.retry_seconds,
            output=options.output,
            format=options.format,
            compression=compression,
            batch_size=options.batch_size,
            file_name_pattern=options.file_name_pattern,
            metrics=options.metrics,
            seed=options.seed,
        )
        # Beam takes half a second and 120 MiB: not for --help, nor for a mistyped date.
        from pipeline.beam_flags import parse_beam_flags

        own = re.findall(r"--\w+", parser.format_help())
        beam_options = parse_beam_flags(rest, own)
    except ConfigError as error:
        parser.error(str(error))
    from pipeline.download import download

    return download(config, beam_options)


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(
        prog="greeks",
        description="Downloads historical option Greeks from ThetaData, one file per expiration.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"greeks {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    download = commands.add_parser(
        "download",
        help="download the Greeks of every expiration within reach of a range of trade dates",
        description="Downloads option Greeks, one file per expiration, each as soon as it is "
        "complete.",
        epilog=_DOWNLOAD_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add_download_flags(download)
    terminal = commands.add_parser(
        "terminal",
        help="run a stand-in Theta Terminal that serves a simulated market",
        description="Serves a simulated market on this machine in the words of a Theta Terminal.",
        allow_abbrev=False,
    )
    from pipeline.terminal import add_arguments

    add_arguments(terminal)
    return parser, download


def _underscored(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments with hyphens in the names of flags as underscores."""
    return [
        re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), argument)
        for argument in arguments
    ]
