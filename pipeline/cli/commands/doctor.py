"""`greeks doctor`: checks what a download needs."""

import argparse
from collections.abc import Sequence

from pipeline.cli.flags import add_flag
from pipeline.config.source import EMBEDDED, LOCAL_URLS, named_terminals, terminal_problem

SUMMARY = "check what a download needs, and suggest how to fix problems"
DESCRIPTION = """\
Checks this machine, the Theta Terminal, the subscription, the folders and the run history. Each
line is ok, warn or fail; a remedy follows each warn and fail. Requests a few rows from the
Terminal, and changes nothing."""
EPILOG = """\
examples:
  greeks doctor
      the Terminal on this machine, and the default folders of a download

  greeks doctor --terminal http://10.0.0.5:25503 --output /data/spxw --flink
      another Terminal, another folder, and the requirements of Flink

  greeks doctor --terminal http://10.0.0.5:25503,http://10.0.0.6:25503
      several Terminals, and whether they serve the same data

exit codes: 0 no check failed; 1 a check failed; 2 a wrong flag.
"""
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
        help="option root with which the subscription is checked (default: %(default)s)",
    )
    add_flag(parser, "output")
    add_flag(parser, "metrics")
    parser.add_argument(
        "--flink", action="store_true", help="also check for Java and Flink's job server"
    )
    parser.add_argument(
        "--flink_job_server_jar",
        default="",
        metavar="PATH",
        help="jar file of Flink's job server (default: Beam's, in ~/.apache_beam)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Prints the result of each check; returns 1 if one fails, else 0."""
    from transforms.model import checked_symbol

    if options.terminal == EMBEDDED:
        parser.error("--terminal: the simulated market needs no doctor; name a Terminal's address")
    if problem := terminal_problem(options.terminal):
        parser.error(f"--terminal {problem}")
    urls = named_terminals(options.terminal)
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
