"""The faces of packages whose modules take long to import (PEP 562)."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any


def face(package: str, **names_of: Sequence[str]) -> Callable[[str], Any]:
    """Returns the `__getattr__` of a package, which imports a name's module at its first use.

    Args:
        package: its `__name__`.
        names_of: the names of each module, below the package.
    """
    homes = {name: module for module, names in names_of.items() for name in names}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
