"""Which trade dates may still change: those whose session had not ended when they were fetched."""

from datetime import date, datetime, time, timedelta

from transforms.market.clock import NEW_YORK
from transforms.model import GreeksRequest
from transforms.orders import Order

_GAP_END = time(1, 45)  # ThetaData does not have the previous day from midnight to then


def provisional(request: GreeksRequest, at: datetime) -> bool:
    """Returns whether the request's last trade date may have more or other rows later than `at`.

    Args:
        request: to fetch.
        at: when, in New York.
    """
    return may_change(request.order, request.last_trade_date, at)


def may_change(order: Order, day: date, at: datetime) -> bool:
    """Returns whether an order may have more or other rows of a trade date later than `at`.

    Args:
        order: of data.
        day: the trade date.
        at: when, in New York.
    """
    if at < datetime.combine(day, order.complete_at, NEW_YORK):
        return True
    return at.date() == day + timedelta(days=1) and at.time() < _GAP_END
