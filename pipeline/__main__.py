"""`python -m pipeline`, and the console script `greeks`."""

import sys

from pipeline.process.footprint import keep_lean
from pipeline.process.standard_output import outlive_readers
from pipeline.runners.beam_patches import keep_unused_out


def run() -> int:
    """Runs the command of this process and returns its exit code."""
    keep_unused_out()
    keep_lean()
    outlive_readers()
    try:
        from pipeline.cli.main import main

        return main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
