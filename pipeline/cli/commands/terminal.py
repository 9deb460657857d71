"""`greeks terminal`: runs the stand-in Theta Terminal."""

import argparse
from collections.abc import Sequence

from pipeline.simulator import add_arguments as add_arguments
from pipeline.simulator import serve

SUMMARY = "run a stand-in Theta Terminal that serves a simulated market"
DESCRIPTION = "Serves a simulated market on this machine, with the API of a Theta Terminal."
EPILOG = """\
examples:
  greeks terminal --port 25503
      for development without a subscription

  greeks terminal --latency 0.25 --chaos "429:0.1,reset:0.05,cut:0.2,474:3"
      with delays and faults, to test how a client reacts
"""


def run(_parser: argparse.ArgumentParser, options: argparse.Namespace, _rest: Sequence[str]) -> int:
    """Serves until it is stopped, and returns the exit code."""
    return serve(options)
