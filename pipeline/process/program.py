"""By which words a shell runs this program again."""

import os
import shutil
import sys
from pathlib import Path

NAME = "greeks"


def program() -> list[str]:
    """Returns the words for the commands that are suggested: `greeks`, where the shell finds it.

    Else they are a path to it, from the present folder if it is below it, such as
    `.venv/bin/greeks`.
    """
    own = Path(sys.executable).parent / NAME
    found = shutil.which(NAME)
    if found is not None and own.exists() and Path(found).samefile(own):
        return [NAME]
    if not os.access(own, os.X_OK):
        return [sys.executable, "-m", "pipeline"]
    here = Path.cwd()
    return [str(own.relative_to(here) if own.is_relative_to(here) else own)]
