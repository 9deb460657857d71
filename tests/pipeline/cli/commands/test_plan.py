import json
import re
import shlex
from datetime import date
from pathlib import Path

import pytest

from pipeline.cli.main import main
from pipeline.config import DownloadConfig
from pipeline.planning.command import lines
from pipeline.planning.estimate import Estimate
from pipeline.planning.plan import Plan
from pipeline.planning.preview import Preview
from pipeline.process.program import program
from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.answers import rows_of
from tests.support.command import at_scripted as greeks
from tests.support.data import files_in
from tests.support.market import NO_DATA, terminal
from tests.support.scripted import Answer, Scripted, scripted_server

FLAGS = "--symbol SPXW --start_date 2024-03-14"

pytestmark = pytest.mark.usefixtures("in_a_folder_of_its_own")


def fetched(server: Scripted) -> int:
    return sum("/greeks/" in path for path, _ in server.seen)


def test_without_a_probe_no_row_is_fetched_and_nothing_is_written(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, server = greeks(f"plan {FLAGS} --probe never --end_date 2024-03-15")
    assert code == 0
    assert fetched(server) == 0
    assert files_in(tmp_path) == {}
    out = capsys.readouterr().out
    lines = [line.split() for line in out.splitlines()]
    assert ["SPXW", "2024-03-15", "2", "2", "new"] in lines
    assert ["expirations", "3:", "3", "new"] in lines
    assert ["requests", "5"] in lines
    assert "rows         unknown: no earlier run is known" in out
    assert "free " in out


@pytest.mark.parametrize(
    ("api", "order", "needed"),
    [
        ("v3", "first_order", "Standard"),
        ("v3", "second_order", "Professional; with Standard, --greeks first_order --derive gamma,"),
        ("v3", "trade_second_order", "Professional"),
        ("v3", "open_interest", "Value"),
        ("v2", "open_interest", "Standard"),
    ],
)
def test_the_subscription_that_an_order_needs_is_in_the_plan(
    api: str, order: str, needed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with TerminalServer(Market(), api=api) as server:
        flags = f"{FLAGS} --max_dte 1 --greeks {order} --probe never --terminal {server.url}"
        assert main(["plan", *flags.split()]) == 0
        assert f"needs        {needed}" in capsys.readouterr().out
        assert main(["plan", *flags.split(), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["subscription"].startswith(needed)


def test_without_an_earlier_run_one_expiration_is_probed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    script = terminal(lambda request: Answer(rows_of(request, request.trade_dates[0], 100)))
    code, server = greeks(f"plan {FLAGS} --json", script)
    assert code == 0
    assert fetched(server) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["estimate"]["rows"] == 300
    assert printed["estimate"]["basis"] == "a probe of SPXW 2024-03-15, on 2024-03-14"
    assert [each["action"] for each in printed["expirations"]] == ["new"] * 3
    assert printed["requests"] == 3
    assert printed["free_bytes"] > 0
    assert files_in(tmp_path) == {}


def test_a_run_teaches_the_plan_and_its_files_are_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert greeks(f"download {FLAGS}")[0] == 0
    capsys.readouterr()
    code, server = greeks(f"plan {FLAGS} --overwrite")
    out = capsys.readouterr().out
    assert code == 0
    assert fetched(server) == 0
    assert "rows         about 30, after 1 earlier run" in out
    assert "expirations  3: 3 again" in out
    assert "the run 20" in out
    code, server = greeks(f"plan {FLAGS} --max_dte 40")
    out = capsys.readouterr().out
    assert code == 0
    assert fetched(server) == 0
    assert "rows         about 10, after 1 earlier run" in out
    assert "expirations  4: 3 skip, 1 new" in out
    assert "skip: already there" in out


def test_a_daily_plan_lists_each_trade_date_and_the_other_layout_is_in_its_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    daily = "--layout daily --end_date 2024-03-15 --probe never"
    assert greeks(f"plan {FLAGS} {daily}")[0] == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["SPXW", "2024-03-15", "2024-03-14", "1", "new"] in lines
    assert ["SPXW", "2024-03-15", "2024-03-15", "1", "new"] in lines
    assert greeks(f"download {FLAGS}")[0] == 0
    assert greeks(f"plan {FLAGS} {daily}")[0] == 2
    assert "would get rows twice" in capsys.readouterr().err


def test_files_of_another_request_are_reported_and_exit_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert greeks(f"download {FLAGS} --max_dte 1")[0] == 0
    code, _ = greeks(f"plan {FLAGS} --interval 1m")
    out = capsys.readouterr().out
    assert code == 2
    assert "expirations  3: 2 conflict, 1 new" in out
    assert "was made by another request" in out
    assert "would fetch nothing: files of other requests are in the way" in out
    before = f"to keep both: {shlex.join(program())} "
    (command,) = (line for line in out.splitlines() if line.startswith(before))
    # The same command does it, at a Terminal that is there.
    flags = re.sub(r" --terminal \S+", "", command.removeprefix(before))
    assert greeks(flags)[0] == 0
    assert "3 written" in capsys.readouterr().out


def test_a_closed_market_has_no_plan(capsys: pytest.CaptureFixture[str]) -> None:
    assert greeks("plan --symbol SPXW --start_date 2024-03-29")[0] == 0
    out = capsys.readouterr().out
    assert out == "the market was closed on 2024-03-29\nnothing to fetch\n"


def test_an_empty_probe_leaves_the_rows_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert greeks(f"plan {FLAGS}", terminal(lambda request: NO_DATA))[0] == 0
    assert "rows         unknown" in capsys.readouterr().out


def test_what_keeps_a_download_from_starting_keeps_the_plan(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert greeks("plan --symbol NOPE --start_date 2024-03-14")[0] == 1
    assert "greeks plan: the Terminal lists no expirations of NOPE" in capsys.readouterr().err
    with scripted_server(terminal()) as server:
        gone = server.url
    assert main(["plan", *shlex.split(FLAGS), "--terminal", gone]) == 3
    assert "greeks plan: no Theta Terminal answers" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["plan", *shlex.split(FLAGS), "--qqqq"])
    assert ended.value.code == 2
    greeks(f"download {FLAGS}")
    entry = next((tmp_path / "data" / "greeks.meta" / "files").rglob("*.json"))
    entry.write_text("broken")
    assert greeks(f"plan {FLAGS}")[0] == 2
    assert "is not an entry of the manifest" in capsys.readouterr().err


def test_too_little_room_is_reported() -> None:
    day = date(2024, 3, 14)
    config = DownloadConfig(("SPXW",), day, day)
    made = Preview(
        Plan((), (day,), ()),
        (),
        0,
        "http://x (v3)",
        "live",
        Estimate(10, 1_000_000, 7200.0, "2 earlier runs"),
        1_050_000,
        "disk has 1 MB of free space",
    )
    from pipeline.planning.command import _totals

    shown = "\n".join(_totals(made, config))
    assert "TOO LITTLE; free some, or choose another --output" in shown
    assert "greeks download would fetch nothing: disk has 1 MB of free space" in shown
    assert "time         about 2.0 hours" in shown
    assert list(lines(made, config)) == ["nothing to fetch"]
