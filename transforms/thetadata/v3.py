"""The v3 API, as ThetaData's OpenAPI document describes it."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from transforms.model import GreeksRequest
from transforms.orders import MONTH, Order
from transforms.thetadata.dialect import Part, Query, require

_RIGHTS = pa.array(["CALL", "PUT", "C", "P"])


def listing(what: str, **parameters: str) -> Query:
    """Returns the query for one of the API's lists."""
    return f"/v3/option/list/{what}", parameters | {"format": "csv"}


class V3:
    """A v3 Terminal: `/v3/…` on port 25503."""

    name = "v3"
    status = "/v3/terminal/mdds/status"
    pages = False
    cells: Mapping[str, tuple[str, str | None]] = {
        "symbol": ("s", "symbol"),
        "expiration": ("e", "expiration"),
        "right": ("r", "right"),
        "timestamp": ("T", "timestamp"),
    }
    date_format = "%Y-%m-%d"

    def expirations(self, symbol: str) -> tuple[Query, str]:
        """Returns the query for a symbol's expirations, and the column that holds them."""
        return listing("expirations", symbol=symbol), "expiration"

    def strikes(self, request: GreeksRequest) -> Query:
        """Returns the query for the strikes of an expiration, whose column is `strike`."""
        expiration = request.expiration.isoformat()
        return listing("strikes", symbol=request.symbol, expiration=expiration)

    def history(self, request: GreeksRequest, part: Part) -> Query:
        """Returns the query for the Greeks of a part; it never asks for more than it must."""
        asked = {"symbol": request.symbol, "expiration": request.expiration.isoformat()}
        if part.reach is not None:
            asked |= {"expiration": "*", "max_dte": str(part.reach)}
        if request.order.request_span == MONTH:
            asked |= {"start_date": part.first.isoformat(), "end_date": part.last.isoformat()}
        else:
            asked["date"] = part.first.isoformat()
        if request.order.has_interval:
            asked["interval"] = request.interval
        asked |= dict(request.parameters)
        if part.right is not None:
            asked["right"] = part.right
        if part.strike is not None:
            asked["strike"] = part.strike
        if part.moment is not None:
            asked |= {"start_time": part.moment, "end_time": part.moment}
        return f"/v3/option/history/{request.order.v3.path}", asked | {"format": "csv"}

    def types(self, order: Order) -> dict[str, pa.DataType]:
        """Returns the schema's own names and types, but for timestamps, which carry no zone."""
        return {
            field.name: pa.timestamp("ms") if pa.types.is_timestamp(field.type) else field.type
            for field in order.schema
        }

    def columns(self, cells: Mapping[str, pa.Array], order: Order) -> Mapping[str, pa.Array]:
        """Returns the schema's columns from the CSV's, timestamps as local times."""
        rights = cells["right"]
        require(pc.is_in(rights, value_set=_RIGHTS), rights, "CALL or PUT")
        return {**cells, "right": pc.utf8_slice_codeunits(rights, 0, 1)}
