"""The command line, `greeks`."""

import argparse
import logging
import re
import sys
from collections.abc import Sequence
from datetime import date, datetime

from pipeline.config import COMPRESSIONS, EMBEDDED, ConfigError, DownloadConfig
from transforms.layout import DEFAULT_PATTERN, FIELDS
from transforms.model import INTERVALS
from transforms.thetadata.client import BATCH_SIZE, DEFAULT_URL
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
            interval=options.interval,
            terminal=options.terminal,
            concurrency=options.concurrency,
            timeout=options.timeout,
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
    _add_download_flags(download)
    terminal = commands.add_parser(
        "terminal",
        help="run a stand-in Theta Terminal that serves a simulated market",
        description="Serves a simulated market on this machine in the words of a Theta Terminal.",
        allow_abbrev=False,
    )
    from pipeline.terminal import add_arguments

    add_arguments(terminal)
    return parser, download


def _add_download_flags(parser: argparse.ArgumentParser) -> None:
    what = parser.add_argument_group("what")
    what.add_argument("--symbol", type=_words, required=True, metavar="SPXW[,SPX]",
                      help="option roots, with commas between them")  # fmt: skip
    what.add_argument("--start_date", type=_date, required=True, metavar="DATE",
                      help="the first trade date, YYYY-MM-DD or YYYYMMDD")  # fmt: skip
    what.add_argument("--end_date", type=_date, metavar="DATE",
                      help="the last trade date, included (default: --start_date)")  # fmt: skip
    what.add_argument("--max_dte", type=int, default=30, metavar="DAYS",
                      help="the most calendar days from a trade date to an expiration "
                      "(default: %(default)s)")  # fmt: skip
    what.add_argument("--expirations", type=_dates, default=(), metavar="DATE[,DATE]",
                      help="exactly these expirations, whatever --max_dte")  # fmt: skip
    what.add_argument("--interval", default="5m",
                      help=f"time between two rows of a contract: {', '.join(INTERVALS)} "
                      "(default: %(default)s)")  # fmt: skip
    source = parser.add_argument_group("from where")
    source.add_argument("--terminal", default=DEFAULT_URL, metavar="URL",
                        help=f"the Theta Terminal's address, or '{EMBEDDED}' for a simulated "
                        "market (default: %(default)s)")  # fmt: skip
    source.add_argument("--concurrency", type=int, default=4, metavar="N",
                        help="requests under way at once: at most what the subscription allows "
                        "(default: %(default)s)")  # fmt: skip
    source.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS",
                        help="without a byte, after which an answer counts as broken "
                        "(default: %(default)g)")  # fmt: skip
    source.add_argument("--seed", type=int, default=0, metavar="N",
                        help="of the simulated market (default: %(default)s)")  # fmt: skip
    target = parser.add_argument_group("to where")
    target.add_argument("--output", default="data/greeks", metavar="FOLDER",
                        help="the folder of the files (default: %(default)s)")  # fmt: skip
    target.add_argument("--format", default="csv", choices=list(COMPRESSIONS),
                        help="of the files (default: %(default)s)")  # fmt: skip
    target.add_argument("--compression", choices=["none", "gzip", "zstd", "snappy"],
                        help="; ".join(f"{name}: {', '.join(known)}"
                                       for name, known in COMPRESSIONS.items())
                        + " (default: the first)")  # fmt: skip
    target.add_argument("--batch_size", type=int, default=BATCH_SIZE, metavar="ROWS",
                        help="the most rows in a batch (default: %(default)s)")  # fmt: skip
    target.add_argument("--file_name_pattern", default=DEFAULT_PATTERN, metavar="PATTERN",
                        help=f"of the files, see below (default: "
                        f"{DEFAULT_PATTERN.replace('%', '%%')})")  # fmt: skip
    target.add_argument("--metrics", default="data/metrics", metavar="FOLDER",
                        help="the folder of the run summaries (default: %(default)s)")  # fmt: skip


def _underscored(arguments: Sequence[str]) -> list[str]:
    """Returns the arguments with hyphens in the names of flags as underscores."""
    return [
        re.sub(r"^--[\w-]+", lambda flag: "--" + flag[0][2:].replace("-", "_"), argument)
        for argument in arguments
    ]


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _date(text: str) -> date:
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text.strip(), form).date()  # noqa: DTZ007 -- a date has no zone
        except ValueError:
            continue
    raise argparse.ArgumentTypeError(f"{text!r} is not a date: YYYY-MM-DD or YYYYMMDD")


def _dates(text: str) -> tuple[date, ...]:
    return tuple(_date(word) for word in _words(text))
