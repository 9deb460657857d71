"""The v2 API, as ThetaData's v2 documentation describes it: bulk requests, whole numbers, pages."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from transforms.market.clock import DAY_MS, clock_ms, interval_ms
from transforms.model import GreeksRequest
from transforms.orders import Order
from transforms.orders.order import TIMES
from transforms.orders.schema import KEY_COLUMNS
from transforms.thetadata.dialect import Part, Query, refuse, require
from transforms.thetadata.errors import NotServed

# The v2 name of each parameter, where it has one.
_PARAMETERS = {"rate_type": "rate", "rate_value": "rate_value", "annual_dividend": "annual_div"}
_RIGHTS = pa.array(["C", "P"])
# The v2 name of each time, which is of the day in `date`.
_CLOCKS = {"timestamp": "ms_of_day", "underlying_timestamp": "ms_of_day2"}


class V2:
    """A v2 Terminal: `/v2/…` on port 25510."""

    name = "v2"
    status = "/v2/system/mdds/status"
    pages = True
    cells: Mapping[str, tuple[str, str | None]] = {
        "root": ("s", "symbol"),
        "expiration": ("e", "expiration"),
        "strike": ("k", "strike"),
        "right": ("c", "right"),
        "ms_of_day": ("m", "timestamp"),
        "ms_of_day2": ("n", "underlying_timestamp"),
        "date": ("y", None),
    }
    date_format = "%Y%m%d"

    def expirations(self, symbol: str) -> tuple[Query, str]:
        """Returns the query for a symbol's expirations, and the column that holds them."""
        return ("/v2/list/expirations", {"root": symbol, "use_csv": "true"}), "date"

    def strikes(self, request: GreeksRequest) -> Query:
        """Returns the query for the strikes of an expiration, whose column is `strike`."""
        parameters = {"root": request.symbol, "exp": f"{request.expiration:%Y%m%d}"}
        return "/v2/list/strikes", parameters | {"use_csv": "true"}

    def history(self, request: GreeksRequest, part: Part) -> Query:
        """Returns the query for the Greeks of a part.

        Raises:
            NotServed: v2 has no bulk implied volatility, nor some of the parameters.
        """
        endpoint = request.order.v2
        if endpoint is None:
            raise NotServed(
                f"a v2 Terminal has no bulk {request.greeks}: use a v3 Terminal, or take "
                "implied_vol from --greeks first_order"
            )
        parameters = dict(request.parameters)
        refuse([name for name in parameters if name not in endpoint.parameters], parameters, "v2")
        asked = {
            "root": request.symbol,
            "exp": "0" if part.reach is not None else f"{request.expiration:%Y%m%d}",
            "start_date": f"{part.first:%Y%m%d}",
            "end_date": f"{part.last:%Y%m%d}",
        }
        if request.order.has_interval:
            asked["ivl"] = str(milliseconds(request.interval))
        for name, value in parameters.items():
            if name in TIMES:
                asked[name] = str(clock_ms(value))
            else:
                asked[_PARAMETERS[name]] = value.upper() if name == "rate_type" else value
        return f"/v2/bulk_hist/option/{endpoint.path}", asked | {"use_csv": "true"}

    def types(self, order: Order) -> dict[str, pa.DataType]:
        """Returns the columns of the CSV: whole numbers for dates, times and strikes."""
        whole = {
            "root": pa.string(),
            "expiration": pa.int32(),
            "strike": pa.int64(),
            "right": pa.string(),
            "date": pa.int32(),
        }
        made = {*KEY_COLUMNS, *_lacking(order)}
        for field in order.schema:
            if field.name in _CLOCKS:
                whole[_CLOCKS[field.name]] = pa.int64()
            elif field.name not in made:
                whole[field.name] = field.type
        return whole

    def columns(self, cells: Mapping[str, pa.Array], order: Order) -> Mapping[str, pa.Array]:
        """Returns the schema's columns from the CSV's, timestamps as local times.

        Strikes come in tenths of a cent, times in milliseconds since midnight in New York.
        """
        rights = cells["right"]
        require(pc.is_in(rights, value_set=_RIGHTS), rights, "C or P")
        midnights = pc.cast(_dates(cells["date"]), pa.timestamp("ms")).cast(pa.int64())
        made = {
            "symbol": cells["root"],
            "expiration": _dates(cells["expiration"]),
            "strike": pc.divide(pc.cast(cells["strike"], pa.float64()), 1000.0),
        }
        for name in _CLOCKS.keys() & {*order.schema.names}:
            times = cells[_CLOCKS[name]]
            inside = pc.and_(pc.greater_equal(times, 0), pc.less(times, DAY_MS))
            require(inside, times, "milliseconds of a day")
            made[name] = pc.cast(pc.add(midnights, times), pa.timestamp("ms"))
        for name in _lacking(order):
            made[name] = pa.nulls(len(rights), order.schema.field(name).type)
        return {**cells, **made}


def milliseconds(interval: str) -> int:
    """Returns an interval of the v3 API as v2 takes it: milliseconds, 0 for every tick."""
    return 0 if interval == "tick" else interval_ms(interval)


def _lacking(order: Order) -> tuple[str, ...]:
    return order.v2.lacks if order.v2 else ()


def _dates(numbers: pa.Array) -> pa.Array:
    """Returns dates from YYYYMMDD; there are few different ones.

    Raises:
        ValueError: a number is not a date.
    """
    encoded = numbers.dictionary_encode()
    days = [
        None if n is None else date(n // 10_000, n // 100 % 100, n % 100)
        for n in encoded.dictionary.to_pylist()
    ]
    return pc.take(pa.array(days, pa.date32()), encoded.indices)
