"""How an extra of this project is installed, for messages about what is missing."""

import shutil
import sys
from pathlib import Path


def install(extra: str) -> str:
    """Returns the command that installs an extra, in the environment that runs this.

    That is `pip install …` where a shell finds this environment's pip, else by the path of its
    Python, from the present folder if it is below it.

    Args:
        extra: its name, as `notebook`.
    """
    own = Path(sys.executable)
    found = shutil.which("pip")
    if found is not None and Path(found).parent == own.parent:
        words = "pip"
    else:
        here = Path.cwd()
        path = own.relative_to(here) if here in own.parents[1:] else own
        words = f"{path} -m pip"
    return f"{words} install 'theta-greeks-pipeline[{extra}]'"
