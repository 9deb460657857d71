"""However many files of others are in the way, the first few are named and the rest counted."""

import pickle
from datetime import date, timedelta

from pipeline.config import DownloadConfig
from pipeline.planning.conflicts import Conflicts
from pipeline.planning.decisions import CONFLICT, Decision
from tests.support.data import DAY, request_for
from transforms.output.entry import COMMITTED, Entry


def conflicts_of(number: int) -> Conflicts:
    config = DownloadConfig(symbols=("SPXW",), start_date=DAY, end_date=DAY, output="out")
    found = Conflicts(config, "live")
    for each in range(number):
        request = request_for(str(date(2024, 3, 15) + timedelta(days=each)))
        made = request.describe() | {"interval": "1h"}
        entry = Entry(COMMITTED, made, "live", "one", sha256="0" * 64)
        found.add(Decision(request, CONFLICT, f"file {each} is of another request", entry=entry))
    return found


def test_thousands_take_no_more_room_than_four() -> None:
    few, many = conflicts_of(4), conflicts_of(4000)
    assert len(pickle.dumps(many)) < len(pickle.dumps(few)) + 10
    shown = many.refusal()
    assert "file 2 is of another request\n(and 3997 more)\nTo keep both:" in shown
    assert "--output out-20240314-5m" in shown
