from datetime import date, datetime

import pyarrow as pa

from transforms.market.clock import NEW_YORK
from transforms.quality.dates import TradeDates

WINTER = [datetime(2024, 3, 8, 9, 30), datetime(2024, 3, 8, 16, 0)]  # noqa: DTZ001 -- NEW_YORK's
SUMMER = [datetime(2024, 3, 11, 0, 0), datetime(2024, 3, 11, 23, 59)]  # noqa: DTZ001 -- likewise


def rows(*moments: datetime) -> pa.Table:
    local = [moment.replace(tzinfo=NEW_YORK) for moment in moments]
    return pa.table({"timestamp": pa.array(local, pa.timestamp("ms", str(NEW_YORK)))})


def test_trade_dates_are_those_of_new_yorks_clocks_also_where_they_change() -> None:
    together, apart = TradeDates(), TradeDates()
    together.add(rows(*SUMMER, *WINTER))
    apart.add(rows(*WINTER))
    assert apart.found == {date(2024, 3, 8)}
    apart.add(rows(*SUMMER))
    assert together.found == apart.found == {date(2024, 3, 8), date(2024, 3, 11)}
