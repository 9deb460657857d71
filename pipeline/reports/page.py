"""The report as one HTML file that needs nothing else, and its figures as PNGs."""

import json
import re
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import Any

from pipeline.reports.figure import Figure, Section, Table
from pipeline.reports.theme import DARK, FONT, LIGHT
from transforms.text.foreign import escaped

_PNG_WIDTH = 720
_PNG_SCALE = 2.0
_LINE = 110  # letters of a subtitle that fit the width
_MAKE = """
import sys, vl_convert
sys.stdout.buffer.write(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;").encode())
"""
_NUMBER = re.compile(r"[-+−]?[\d,.]+( ?%| points)?|–|")


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        title: of the page.
        lead: what it shows, in a sentence.
        notes: what a reader must know first, such as that the data are simulated.
        sections: in order.
        footer: how it was made.
        unreadable: the error of each file that can't be read.
    """

    title: str
    lead: str
    notes: Sequence[str]
    sections: Sequence[Section]
    footer: str
    unreadable: Sequence[str] = ()

    @property
    def figures(self) -> list[Figure]:
        """Every figure that is drawn."""
        return [figure for section in self.sections for figure in section.figures if figure.chart]


def html(report: Report) -> str:
    """Returns the page. It fetches nothing: the libraries are in it."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown
    )
    page = environment.from_string((resources(__package__) / "page.html").read_text("utf-8"))
    figures = {
        "light": LIGHT,
        "dark": DARK,
        "specs": {figure.name: figure.spec() for figure in report.figures},
    }
    # The data may not end the element that they are in.
    data = json.dumps(figures, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    sections = [
        vars(section) | {"tables": [_with_alignment(table) for table in section.tables]}
        for section in report.sections
    ]
    return page.render(
        title=report.title,
        lead=report.lead,
        notes=report.notes,
        sections=sections,
        footer=report.footer,
        figures=data,
        library=drawing_code(),
        font=FONT,
    )


def write_file(path: str, text: str) -> int:
    """Writes the page, whole or not at all, and returns its size in bytes.

    Raises:
        OSError: it can't be written.
    """
    content = text.encode()
    if "://" in path:
        # Beam takes half a second: only for who needs it.
        from transforms.storage import documents

        documents.write_bytes(path, content, "text/html", path.rpartition("/")[0])
        return len(content)
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.{uuid.uuid4().hex}.unfinished")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)
    return len(content)


def write_pngs(report: Report, folder: Path) -> list[Path]:
    """Writes each figure as a PNG into a folder, and returns the files.

    Raises:
        OSError: a file can't be written.
    """
    import vl_convert

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    # A picture goes about without its page.
    about = "; ".join([report.title, *report.notes])
    for figure in report.figures:
        lines = [*textwrap.wrap(about, _LINE), *textwrap.wrap(figure.caption, _LINE)]
        title = {"text": figure.title, "subtitle": lines}
        spec = figure.spec(_PNG_WIDTH) | {"title": title}
        path = folder / f"{figure.name}.png"
        path.write_bytes(vl_convert.vegalite_to_png(spec, scale=_PNG_SCALE, config=LIGHT))
        paths.append(path)
    return paths


@cache
def drawing_code() -> str:
    """Returns the code that draws the figures, as it may stand in an element of a page.

    A process of its own makes it: it takes 100 MiB, which would not be free again for the data.

    Raises:
        ChildProcessError: it can't be made.
    """
    done = subprocess.run([sys.executable, "-c", _MAKE], capture_output=True, check=False)
    if done.returncode:
        raise ChildProcessError(
            "vl-convert does not make the code that draws the figures: "
            + done.stderr.decode(errors="replace").strip()
        )
    return done.stdout.decode().replace("</script", "<\\/script")


def _shown(value: Any) -> Any:
    """Returns text of a file or a record with its control characters escaped."""
    return escaped(value) if type(value) is str else value


def _with_alignment(table: Table) -> dict[str, Any]:
    columns = list(zip(*table.rows, strict=True))
    numbers = [all(_NUMBER.fullmatch(cell) for cell in column) for column in columns]
    return asdict(table) | {"numbers": numbers}
