"""How one generation of the API is spoken: paths, parameters, and the shape of its CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Protocol

import pyarrow as pa

from transforms.model import GreeksRequest
from transforms.orders import MONTH, Order

Query = tuple[str, dict[str, str]]
"""A path and its parameters."""


@dataclass(frozen=True)
class Part:
    """What one HTTP request asks for of a `GreeksRequest`.

    Attributes:
        first: the first trade date.
        last: the last trade date; the same unless the order is requested by month.
        right: `call` or `put`, or None for both.
        strike: in dollars, as the API takes it, or None for all.
        moment: a time of day that is the only one asked for, or None.
        reach: every expiration at most so many calendar days after the trade date is asked for; or
            None for the request's own.
    """

    first: date
    last: date
    right: str | None = None
    strike: str | None = None
    moment: str | None = None
    reach: int | None = None


def parts_of(request: GreeksRequest) -> list[Part]:
    """Returns the HTTP requests of a request: trade dates, or calendar months, as its order says.

    Pages of a v2 answer, and the parts of one that is too large, come on top.
    """
    days = request.served_dates
    if request.order.request_span != MONTH:
        return [Part(day, day) for day in days]
    months = [list(month) for _, month in groupby(days, lambda day: (day.year, day.month))]
    return [Part(month[0], month[-1]) for month in months]


class Dialect(Protocol):
    """One generation of the API.

    Attributes:
        name: `v3` or `v2`.
        status: the path of the state of the session with ThetaData.
        pages: whether answers come in pages.
        cells: of the CSV's columns whose cells are not read by their type alone, the kind of the
            cell, a letter of `read_rows` in `transforms/native/_text.pyi`, and the column of the
            schema that it makes, if any.
        date_format: of an expiration, as `date.strftime` takes it.
    """

    name: str
    status: str
    pages: bool
    cells: Mapping[str, tuple[str, str | None]]
    date_format: str

    def __hash__(self) -> int:
        """Returns the hash: what follows from a header is remembered by its dialect."""

    def expirations(self, symbol: str) -> tuple[Query, str]:
        """Returns the query for a symbol's expirations, and the column that holds them."""

    def strikes(self, request: GreeksRequest) -> Query:
        """Returns the query for the strikes of an expiration, whose column is `strike`."""

    def history(self, request: GreeksRequest, part: Part) -> Query:
        """Returns the query for the Greeks of a part.

        Raises:
            NotServed: this generation does not have them.
        """

    def types(self, order: Order) -> dict[str, pa.DataType]:
        """Returns the columns that the CSV must have, and the type that each is parsed to."""

    def columns(self, cells: Mapping[str, pa.Array], order: Order) -> Mapping[str, pa.Array]:
        """Returns the schema's columns from the CSV's, timestamps as local times.

        A column that this generation does not have is null.

        Raises:
            ValueError: a cell has a value that it can't have.
        """


def require(holds: pa.Array, values: pa.Array, wanted: object) -> None:
    """Returns if `holds` is true everywhere, or null.

    Raises:
        ValueError: names the first of `values` where it is not.
    """
    import pyarrow.compute as pc

    if not pc.all(holds, min_count=0).as_py():
        place = pc.index(holds, False).as_py()
        raise ValueError(f"{values[place]} where {wanted} was expected")


def refuse(names: Sequence[str], parameters: Mapping[str, str], generation: str) -> None:
    """Returns if a request has none of the parameters `names`.

    Raises:
        NotServed: it has one.
    """
    from transforms.thetadata.errors import NotServed

    for name in names:
        if name in parameters:
            raise NotServed(f"a {generation} Terminal does not have the parameter {name!r}")
