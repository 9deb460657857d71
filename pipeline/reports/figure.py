"""A figure of the report: a Vega-Lite chart in the report's own style, or why there is none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from transforms.text.extras import install

Rows = Sequence[dict[str, Any]]


class ReportExtraMissing(ImportError):
    """A library of the extra `report` is not installed; the message says how to install it."""


def require() -> None:
    """Checks that the libraries of the extra `report` are installed.

    Raises:
        ReportExtraMissing: one is not.
    """
    try:
        import altair  # noqa: F401 -- whether it is installed
        import jinja2  # noqa: F401 -- whether it is installed
        import vl_convert  # noqa: F401 -- whether it is installed
    except ImportError as error:
        raise ReportExtraMissing(
            f"greeks report: {error.name} is not installed, with which charts are drawn: "
            f"{install('report')}"
        ) from None


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        name: its id in the page, and its file's name as a PNG.
        title: as shown.
        caption: how to read it.
        chart: an Altair chart without its data, or None.
        rows: the data.
        absent: where there is no chart: why, and what would give one.
        wide: takes the whole width of a large window.
        height: pixels.
    """

    name: str
    title: str
    caption: str = ""
    chart: Any = None
    rows: Rows = ()
    absent: str = ""
    wide: bool = False
    height: int = 280

    def spec(self, width: int | str = "container") -> dict[str, Any]:
        """Returns the Vega-Lite specification with its data."""
        # Altair would check every row against its schema.
        spec: dict[str, Any] = self.chart.to_dict()
        spec |= {
            "data": {"values": [row for row in self.rows if _drawable(row)]},
            "width": width,
            "height": self.height,
            # The last label of an axis is wider than its tick.
            "padding": {"left": 5, "top": 5, "right": 16, "bottom": 5},
            "autosize": {"type": "fit-x", "contains": "padding"},
            "description": f"{self.title}. {self.caption}",
        }
        spec.pop("config", None)
        return spec


def _drawable(row: dict[str, Any]) -> bool:
    # JSON has no infinite number, and a figure no place for it.
    return all(math.isfinite(cell) for cell in row.values() if isinstance(cell, float))


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: its id in the page.
        title: its heading.
        facts: its summary, as (name, value).
        figures: in order.
        tables: in order.
    """

    name: str
    title: str
    facts: Sequence[tuple[str, str]] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence["Table"] = field(default=())

    @classmethod
    def without(cls, name: str, title: str, heading: str, why: str) -> "Section":
        """Returns a part that has nothing to show, and why."""
        return cls(name, title, tables=[Table(heading, (), (), absent=why)])


@dataclass(frozen=True)
class Table:
    """A table, of facts that are better read than drawn.

    Attributes:
        title: as shown.
        heads: of the columns.
        rows: of text; a cell that looks like a number is aligned as one.
        caption: how to read it.
        absent: where there are no rows: why.
    """

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    absent: str = ""


def base() -> Any:
    """Returns an empty chart on the figure's data."""
    import altair

    return altair.Chart(altair.NamedData(name="rows"))
