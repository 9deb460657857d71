"""The notebook of the documentation, in a kernel of Jupyter's."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from nbclient import NotebookClient

from tests.support.command import summaries
from tests.support.documents import TOP

NBFORMAT: Any = import_module("nbformat")  # its functions have no types
NOTEBOOK = TOP / "docs" / "first_look.ipynb"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[Any]]]:
    """The folder in which the notebook was run, and the outputs of its cells of code."""
    folder = tmp_path_factory.mktemp("notebook")
    notebook = NBFORMAT.read(NOTEBOOK, 4)
    (folder / "scratch").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder / "scratch"))
        client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": folder}})
        client.execute()
    return folder, [cell.outputs for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow
def test_five_cells_download_query_and_draw(run: tuple[Path, list[list[Any]]]) -> None:
    folder, outputs = run
    assert len(outputs) == 5
    kinds = [output.output_type for cell in outputs for output in cell]
    assert set(kinds) == {"display_data", "stream", "execute_result"}
    printed = "".join(each.text for each in outputs[0] if each.output_type == "stream")
    assert len(printed.splitlines()) == 21
    assert {each.get("name", "stdout") for cell in outputs for each in cell} == {"stdout"}
    for cell in outputs[2:4]:
        (figure,) = cell
        assert len(figure.data["image/png"]) > 5000
    for cell in (outputs[1], outputs[4]):
        assert "2024-03-14" in cell[-1].data["text/plain"]
    assert summaries(folder)[0]["status"] == "succeeded"


@pytest.mark.slow
def test_the_bar_of_a_cell_is_replaced_in_place_and_ends_full(
    run: tuple[Path, list[list[Any]]],
) -> None:
    _, outputs = run
    (bar,) = [each for each in outputs[0] if each.output_type == "display_data"]
    html = bar.data["text/html"]
    assert 'value="21" max="21"' in html
    assert "21 of 21 expirations; " in html
    assert re.search(r"[\d,]+ rows", html)


@pytest.mark.slow
def test_a_run_in_a_notebook_leaves_no_folder_of_beams(run: tuple[Path, list[list[Any]]]) -> None:
    folder, _ = run
    assert not [each for each in (folder / "scratch").iterdir() if "beam" in each.name]


def test_the_notebook_holds_the_output_that_its_page_shows() -> None:
    notebook = NBFORMAT.read(NOTEBOOK, 4)
    NBFORMAT.validate(notebook)
    assert all(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
