"""A worker of the local runner in a process of its own: Beam's, behind the doors of a command.

What it prints shows no secret of its environment or of the pipeline's options, which is all that
it is given: an address of a Terminal has none in it.
"""

import json
import logging
import os
import sys

from pipeline.process.standard_output import open_doors
from transforms.text.secrets import remember, remember_all


def main() -> None:
    """Works until the launcher ends the connection."""
    remember_all((), os.environ)
    for name, value in json.loads(os.environ.get("PIPELINE_OPTIONS", "{}")).items():
        # beam:option:NAME:v1
        remember(str(value), name.removeprefix("beam:option:").removesuffix(":v1"))
    open_doors()
    # Beam reports its own start whatever level its options name, which it sets after that.
    for name in ("", "apache_beam.runners.worker.sdk_worker_main"):
        logging.getLogger(name).setLevel(logging.ERROR)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
