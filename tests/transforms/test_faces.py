"""The names that a package shows: each is there, typed, and costs nothing before it is used."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import transforms

ROOT = Path(transforms.__file__).parents[1]


def shown(package: str) -> dict[str, str]:
    """Returns the names that type checkers see in a package's `__init__`, with their modules."""
    path = ROOT.joinpath(*package.split("."), "__init__.py")
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            for statement in node.body:
                assert isinstance(statement, ast.ImportFrom)
                found |= {
                    each.asname or each.name: statement.module or "" for each in statement.names
                }
    return found


LAZY = [
    "transforms",
    "pipeline",
    *sorted(
        f"{floor}.{path.parent.name}"
        for floor in ("transforms", "pipeline")
        for path in ROOT.joinpath(floor).glob("*/__init__.py")
        if "transforms.lazy import face" in path.read_text("utf-8")
    ),
]
EVERY = [(package, name) for package in LAZY for name in shown(package)]


def test_the_library_shows_its_transforms() -> None:
    assert set(shown("transforms")) == {
        "FetchGreeks",
        "WriteGreeks",
        "RecordResults",
        "SummarizeRun",
        "EmitRunSummary",
        "GreeksRequest",
        "DealRequests",
        "sink_for",
    }


@pytest.mark.parametrize(("package", "name"), EVERY)
def test_a_name_is_what_type_checkers_take_it_for(package: str, name: str) -> None:
    home = importlib.import_module(shown(package)[name])
    assert getattr(importlib.import_module(package), name) is getattr(home, name)


@pytest.mark.parametrize("package", LAZY)
def test_another_name_is_an_error(package: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'no_such'"):
        _ = importlib.import_module(package).no_such


@pytest.mark.parametrize("package", LAZY)
def test_importing_a_package_imports_neither_beam_nor_pyarrow(package: str) -> None:
    code = (
        f"import sys, {package}; "
        "print({'apache_beam', 'pyarrow', 'numpy', 'scipy'} & set(sys.modules) or '')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
