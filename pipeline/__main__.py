"""`python -m pipeline`, and the console script `greeks`."""

import sys

from pipeline.lean import keep_lean


def run() -> int:
    """Runs the command of this process and returns its exit code."""
    keep_lean()
    from pipeline.cli import main

    return main()


if __name__ == "__main__":
    sys.exit(run())
