from pathlib import Path

import pytest

from pipeline.config import DownloadConfig
from pipeline.planning.decisions import CONFLICT, decide, stock_for
from pipeline.planning.plan import Plan
from tests.support.data import DAY, layout_in, request_for
from transforms.model import GreeksRequest
from transforms.output.entry import COMMITTED, EMPTY, Entry
from transforms.output.manifest import Manifest
from transforms.storage import files

REQUEST = request_for("2024-03-15")


@pytest.mark.parametrize("of", [REQUEST, request_for("2024-03-15", "SPX")])
def test_a_file_that_another_run_commits_in_this_very_moment_is_known_by_its_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of: GreeksRequest
) -> None:
    layout = layout_in(tmp_path)
    path = layout.path(REQUEST)
    # It had no data once, which is asked again.
    Manifest(layout.folder).write(path, Entry(EMPTY, REQUEST.describe(), "live", "one"))
    looked_for = files.exists
    made: list[str] = []

    def exists(place: str) -> bool:
        if place == path and not made:
            # The entry was looked for, the file not yet.
            made.append(place)
            entry = Entry(COMMITTED, of.describe(), "live", "other", sha256="0" * 64)
            Manifest(layout.folder).write(layout.path(REQUEST), entry)
            Path(path).parent.mkdir(parents=True)
            Path(path).write_text("rows")
        return looked_for(place)

    monkeypatch.setattr(files, "exists", exists)
    config = DownloadConfig(
        symbols=("SPXW",), start_date=DAY, end_date=DAY, output=layout.output, retry_empty_after=0
    )
    plan = Plan((REQUEST,), (DAY,), ())
    stock = stock_for(plan, layout, config, keep=False)
    (decision,) = decide(plan, layout, "live", stock)
    assert made == [path]
    assert decision.entry is not None
    if of == REQUEST:
        assert decision.action != CONFLICT
    else:
        assert decision.action == CONFLICT
        assert "was made by another request" in decision.reason
