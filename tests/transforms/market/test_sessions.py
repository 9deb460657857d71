from datetime import date, datetime

import pytest

from transforms.market.clock import NEW_YORK
from transforms.market.sessions import provisional
from transforms.model import GreeksRequest

DAY = date(2024, 3, 14)


def asked(at: str, greeks: str = "first_order") -> bool:
    interval = "eod" if greeks == "eod" else "5m"
    request = GreeksRequest("SPXW", date(2024, 3, 15), (DAY,), interval, greeks)
    return provisional(request, datetime.fromisoformat(at).replace(tzinfo=NEW_YORK))


@pytest.mark.parametrize(
    ("at", "open_still"),
    [
        ("2024-03-13 12:00", True),
        ("2024-03-14 16:14", True),
        ("2024-03-14 16:15", False),
        ("2024-03-14 23:59", False),
        ("2024-03-15 00:00", True),
        ("2024-03-15 01:44", True),
        ("2024-03-15 01:45", False),
        ("2024-03-16 00:30", False),
    ],
)
def test_a_session_that_had_not_ended_or_is_not_served_yet_is_provisional(
    at: str, open_still: bool
) -> None:
    assert asked(at) is open_still


def test_end_of_day_is_made_at_a_quarter_past_five() -> None:
    assert asked("2024-03-14 17:14", "eod")
    assert not asked("2024-03-14 17:15", "eod")
