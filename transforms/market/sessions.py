"""Which trade dates may still change: those whose session had not ended when they were fetched."""

from datetime import date, datetime, time, timedelta

from transforms.market.clock import NEW_YORK
from transforms.model import GreeksRequest
from transforms.schema import END_OF_DAY

# Index options trade until 16:15; ThetaData makes the end-of-day report at 17:15, and does not
# have the previous day from midnight to 01:45.
_INTRADAY_END, _REPORT = time(16, 15), time(17, 15)
_GAP_END = time(1, 45)


def provisional(request: GreeksRequest, at: datetime) -> bool:
    """Returns whether the request's last trade date may have more or other rows later than `at`.

    Args:
        request: to fetch.
        at: when, in New York.
    """
    return _open(
        request.last_trade_date, at, _REPORT if request.greeks == END_OF_DAY else _INTRADAY_END
    )


def _open(day: date, at: datetime, end: time) -> bool:
    if at < datetime.combine(day, end, NEW_YORK):
        return True
    return at.date() == day + timedelta(days=1) and at.time() < _GAP_END
