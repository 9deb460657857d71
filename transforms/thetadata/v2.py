"""The v2 API, as ThetaData's v2 documentation describes it: bulk requests, whole numbers, pages."""

from collections.abc import Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from transforms.market.clock import DAY_MS, clock_ms, interval_ms
from transforms.model import END_OF_DAY_PARAMETERS, GreeksRequest
from transforms.schema import END_OF_DAY
from transforms.thetadata.dialect import Part, Query, refuse, require
from transforms.thetadata.errors import NotServed

_PATHS = {
    "first_order": "greeks",
    "second_order": "greeks_second_order",
    "third_order": "greeks_third_order",
    "all": "all_greeks",
    END_OF_DAY: "eod_greeks",
}
# The v2 name of each parameter, where it has one.
_PARAMETERS = {"rate_type": "rate", "rate_value": "rate_value", "annual_dividend": "annual_div"}
_RIGHTS = pa.array(["C", "P"])
# What v2's end of day does not have.
_ABSENT = {END_OF_DAY: ("dual_delta", "dual_gamma")}


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
        path = _PATHS.get(request.greeks)
        if path is None:
            raise NotServed(
                f"a v2 Terminal has no bulk {request.greeks}: use a v3 Terminal, or take "
                "implied_vol from --greeks first_order"
            )
        parameters = dict(request.parameters)
        times = (
            ()
            if request.greeks in ("first_order", "second_order", "third_order")
            else (
                "start_time",
                "end_time",
            )
        )
        refuse(("version", "strike_range", *END_OF_DAY_PARAMETERS, *times), parameters, "v2")
        asked = {
            "root": request.symbol,
            "exp": f"{request.expiration:%Y%m%d}",
            "start_date": f"{part.first:%Y%m%d}",
            "end_date": f"{part.last:%Y%m%d}",
        }
        if request.greeks != END_OF_DAY:
            asked["ivl"] = str(milliseconds(request.interval))
        for name, value in parameters.items():
            if name in ("start_time", "end_time"):
                asked[name] = str(clock_ms(value))
            else:
                asked[_PARAMETERS[name]] = value.upper() if name == "rate_type" else value
        return f"/v2/bulk_hist/option/{path}", asked | {"use_csv": "true"}

    def types(self, schema: pa.Schema) -> dict[str, pa.DataType]:
        """Returns the columns of the CSV: whole numbers for dates, times and strikes."""
        whole = {
            "root": pa.string(),
            "expiration": pa.int32(),
            "strike": pa.int64(),
            "right": pa.string(),
            "ms_of_day": pa.int64(),
            "date": pa.int32(),
            "ms_of_day2": pa.int64(),
        }
        made = {"symbol", "expiration", "strike", "right", "timestamp", "underlying_timestamp"}
        rest = {f.name: f.type for f in schema if f.name not in made | _absent(schema)}
        return whole | rest

    def columns(self, cells: Mapping[str, pa.Array], schema: pa.Schema) -> Mapping[str, pa.Array]:
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
        for name, clock in (("timestamp", "ms_of_day"), ("underlying_timestamp", "ms_of_day2")):
            times = cells[clock]
            inside = pc.and_(pc.greater_equal(times, 0), pc.less(times, DAY_MS))
            require(inside, times, "milliseconds of a day")
            made[name] = pc.cast(pc.add(midnights, times), pa.timestamp("ms"))
        for name in _absent(schema):
            made[name] = pa.nulls(len(rights), pa.float64())
        return {**cells, **made}


def milliseconds(interval: str) -> int:
    """Returns an interval of the v3 API as v2 takes it: milliseconds, 0 for every tick."""
    return 0 if interval == "tick" else interval_ms(interval)


def _absent(schema: pa.Schema) -> set[str]:
    return set(_ABSENT[END_OF_DAY]) & set(schema.names) if "open" in schema.names else set()


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
