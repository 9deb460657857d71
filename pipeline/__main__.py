"""`python -m pipeline`, and the console script `greeks`."""

import os
import sys

from pipeline.process.footprint import keep_lean
from pipeline.process.standard_output import open_doors
from pipeline.runners.beam_patches import keep_unused_out
from transforms.text.secrets import remember_all


def run() -> int:
    """Runs the command of this process and returns its exit code."""
    keep_unused_out()
    keep_lean()
    remember_all(sys.argv[1:], os.environ)
    open_doors()
    try:
        from pipeline.cli.main import main

        return main()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(run())
