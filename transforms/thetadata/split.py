"""What to ask for instead of what the Terminal finds too large (570), without moving a row.

Answers come contract by contract, in an order that is the Terminal's own. So that order is asked
for first: one row for each contract. Then the answer is put together from smaller ones in that
very order: by right where one right comes after the other, else by strike, else by contract;
never by time, which would tear the contracts apart.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import groupby

from transforms.model import GreeksRequest
from transforms.thetadata.dialect import Part, Query
from transforms.thetadata.errors import MalformedResponse, NoData
from transforms.thetadata.small_csv import strike_of
from transforms.thetadata.v3 import V3

Rows = Callable[[Query, tuple[str, ...]], list[dict[str, str]]]
"""Asks a query for a small CSV answer that has some columns, and returns its rows."""

Contract = tuple[str, str]
"""A strike in dollars and `call` or `put`, as the API takes them."""


def split(request: GreeksRequest, part: Part, dialect: V3, rows: Rows) -> list[Part]:
    """Returns smaller parts that make up `part`, in the order of its rows; none if it is smallest.

    Raises:
        ThetaError: the Terminal did not list the contracts.
    """
    if part.strike is not None and part.right is not None:
        return []
    if "strike_range" in dict(request.parameters):
        # What lies around the money is the Terminal's to say, and differs from moment to moment.
        return []
    contracts = _contracts(request, part, dialect, rows)
    if part.strike is not None:
        return [replace(part, right=right) for _, right in contracts]
    if part.right is None:
        rights = [right for right, _ in groupby(right for _, right in contracts)]
        if len(rights) == 2:
            return [replace(part, right=right) for right in rights]
    strikes = [strike for strike, _ in groupby(strike for strike, _ in contracts)]
    if len(strikes) == len(set(strikes)):
        return [replace(part, strike=strike) for strike in strikes]
    return [replace(part, strike=strike, right=right) for strike, right in contracts]


def _contracts(request: GreeksRequest, part: Part, dialect: V3, rows: Rows) -> Sequence[Contract]:
    """Returns the part's contracts in the order in which the Terminal serves them."""
    moment = None
    if "start_time" in request.order.v3.parameters:
        moment = dict(request.parameters).get("start_time", "09:30:00")
    query = dialect.history(request, replace(part, last=part.first, moment=moment))
    try:
        seen = rows(query, ("strike", "right"))
    except NoData:
        seen = []
    contracts = dict.fromkeys(
        (strike_of(row["strike"], query[0]), _right(row["right"], query[0])) for row in seen
    )
    # A contract without a row at that moment may have one later: none may be left out.
    rights = [part.right] if part.right else ["call", "put"]
    listed = [part.strike] if part.strike else _strikes(request, dialect, rows)
    missing = {(s, r) for s in listed for r in rights if (s, r) not in contracts}
    return _merged(list(contracts), sorted(missing, key=_by_strike))


def _strikes(request: GreeksRequest, dialect: V3, rows: Rows) -> list[str]:
    query = dialect.strikes(request)
    return [strike_of(row["strike"], query[0]) for row in rows(query, ("strike",))]


def _right(cell: str, path: str) -> str:
    if cell not in ("CALL", "PUT", "C", "P"):
        raise MalformedResponse(f"{path}: {cell[:80]!r} where CALL or PUT was expected")
    return "call" if cell[0] == "C" else "put"


def _by_strike(contract: Contract) -> tuple[Decimal, str]:
    return Decimal(contract[0]), contract[1]


def _merged(contracts: Sequence[Contract], missing: Sequence[Contract]) -> list[Contract]:
    """Returns both, in the order of `contracts`.

    A missing one stands beside its strike, else before the first higher strike, else at the end.
    """
    merged: list[Contract] = []
    place = 0
    for strike, right in missing:
        while place < len(contracts) and Decimal(contracts[place][0]) < Decimal(strike):
            merged.append(contracts[place])
            place += 1
        if place < len(contracts) and contracts[place][0] == strike and contracts[place][1] < right:
            merged.append(contracts[place])
            place += 1
        merged.append((strike, right))
    return [*merged, *contracts[place:]]
