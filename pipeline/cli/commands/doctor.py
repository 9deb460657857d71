"""`greeks doctor`: what keeps a download from working."""

import argparse
from collections.abc import Sequence

from pipeline.cli.flags import add_flag
from pipeline.config.source import LOCAL_URLS, is_terminal, named_terminals

SUMMARY = "find out what keeps a download from working, and the way out"
DESCRIPTION = """\
Looks at this machine, the Theta Terminal, the subscription, the folders and the run history. Each
line is ok, warn or fail; below a warn and a fail is the way out. It asks the Terminal for a few
rows, and changes nothing."""
EPILOG = """\
examples:
  greeks doctor
      the Terminal on this machine, and the folders of a download without flags

  greeks doctor --terminal http://10.0.0.5:25503 --output /data/spxw --flink
      another Terminal, another folder, and what Flink needs

  greeks doctor --terminal http://10.0.0.5:25503,http://10.0.0.6:25503
      each of several Terminals, and whether they serve the same

exit codes: 0 nothing failed; 1 something did; 2 a wrong flag.
"""
BEAM_FLAGS = False
STORAGE_FLAGS = True


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the doctor's flags."""
    add_flag(
        parser,
        "terminal",
        help="addresses of the Theta Terminals, separated by commas",
        default_text=" and ".join(LOCAL_URLS),
    )
    add_flag(parser, "api", help="generation of the API; auto: both")
    parser.add_argument(
        "--symbol",
        default="SPXW",
        metavar="SPXW",
        help="an option root to ask the subscription for (default: %(default)s)",
    )
    add_flag(parser, "output")
    add_flag(parser, "metrics")
    parser.add_argument(
        "--flink", action="store_true", help="look for Java and Flink's job server, too"
    )
    parser.add_argument(
        "--flink_job_server_jar",
        default="",
        metavar="PATH",
        help="the job server's jar (default: the one that Beam keeps in ~/.apache_beam)",
    )
    parser.add_argument("--json", action="store_true", help="as JSON, for other programs")


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Prints what is found; returns 1 if something fails, else 0."""
    from transforms.model import checked_symbol

    urls = named_terminals(options.terminal)
    for url in urls:
        if not is_terminal(url):
            parser.error(f"--terminal is {url!r}, no address such as {LOCAL_URLS[0]}")
    if len(set(urls)) < len(urls):
        parser.error("--terminal names one twice: its limit is for all of its requests")
    try:
        symbol = checked_symbol(options.symbol)
    except ValueError as error:
        parser.error(f"--symbol: {error}")
    from pipeline.doctor import examine, report

    flink = options.flink or options.flink_job_server_jar
    diagnoses = examine(
        [[url] for url in urls] or [LOCAL_URLS],
        options.api,
        symbol,
        options.output,
        options.metrics,
        options.flink_job_server_jar if flink else None,
    )
    return report(diagnoses, options.json)
