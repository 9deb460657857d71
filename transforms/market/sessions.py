"""Which trade dates may still change: those whose session had not ended when they were fetched."""

from datetime import datetime, time, timedelta

from transforms.market.clock import NEW_YORK
from transforms.model import GreeksRequest

_GAP_END = time(1, 45)  # ThetaData does not have the previous day from midnight to then


def provisional(request: GreeksRequest, at: datetime) -> bool:
    """Returns whether the request's last trade date may have more or other rows later than `at`.

    Args:
        request: to fetch.
        at: when, in New York.
    """
    day = request.last_trade_date
    if at < datetime.combine(day, request.order.complete_at, NEW_YORK):
        return True
    return at.date() == day + timedelta(days=1) and at.time() < _GAP_END
