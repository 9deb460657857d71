"""`greeks report` as a user runs it, and its page in a browser."""

import json
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer
from tests.support.command import WITHOUT_COVERAGE, greeks_here, summaries
from tests.support.folder import fill

DRAWN = (
    "smiles",
    "term-structure",
    "surface",
    "course",
    "underlying",
    "completeness",
    "solved",
    "delta",
    "theta",
    "vega",
    "rho",
    "epsilon",
    "lambda",
    "errors",
    "iv-error",
    "quality-counts",
    "changes-figure",
    "gantt",
    "rows",
    "seconds",
)
"""The figures that a run of two trade dates has, whatever else the summary holds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("report")
    greeks_here(
        made,
        "download",
        "--symbol",
        "SPXW",
        "--start_date",
        "2024-03-13",
        "--end_date",
        "2024-03-14",
        "--max_dte",
        "8",
        "--interval",
        "15m",
        "--format",
        "parquet",
        "--terminal",
        "embedded",
    )
    printed = greeks_here(made, "report", TZ="America/Los_Angeles")
    assert re.match(r"report: data/greeks\.meta/report\.html \(\d\.\d MB, \d\d figures, ", printed)
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    return folder / "data" / "greeks.meta" / "report.html"


def figures(page: Path) -> dict[str, Any]:
    (text,) = re.findall(
        r'<script id="figures" type="application/json">(.*?)</script>', page.read_text("utf-8")
    )
    specs: dict[str, Any] = json.loads(text)["specs"]
    return specs


def test_a_report_is_one_file_of_less_than_10_mb_that_names_no_address(page: Path) -> None:
    assert page.stat().st_size < 10_000_000
    assert set(DRAWN) <= set(figures(page))
    text = page.read_text("utf-8")
    head, library = text.split("<script>", 1)
    # The summary's own Terminal is reported, not asked.
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:|//|file:)", head)
    assert "@import" not in text
    assert "</script" not in library.split("</script>")[0]
    assert "Simulated data, from a stand-in Terminal" in head


@pytest.mark.slow
def test_every_figure_is_a_png_too(folder: Path, page: Path) -> None:
    greeks_here(folder, "report", "--to", "too.html", "--png", "pictures")
    pictures = {path.stem: path.read_bytes() for path in (folder / "pictures").glob("*.png")}
    assert set(pictures) == set(figures(page))
    for data in pictures.values():
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        assert width >= 1440
        assert height >= 300
        # A blank one would be smaller.
        assert len(data) > 15_000


def test_the_bars_of_a_run_and_its_samples_are_by_one_clock(folder: Path) -> None:
    (run,) = summaries(folder)
    # The Terminal of its own takes half a second to start.
    zero = datetime.fromisoformat(run["start_time"])
    bars = [
        ((datetime.fromisoformat(each["started"]) - zero).total_seconds(), each["seconds"])
        for each in run["expirations"]
    ]
    end = max(begin + seconds for begin, seconds in bars)
    assert end <= run["samples"]["seconds"][-1] + 0.05 <= run["total_duration"] + 0.1


def test_the_figures_are_the_same_under_another_time_zone_of_the_machine(
    folder: Path, page: Path
) -> None:
    greeks_here(folder, "report", "--to", "elsewhere.html", TZ="Asia/Tokyo")
    assert figures(folder / "elsewhere.html") == figures(page)


def test_another_tools_folder_is_drawn_without_a_run(tmp_path: Path) -> None:
    with TerminalServer(Market()) as server:
        fill(tmp_path / "ours", server, file_format="csv", compression="gzip")
    (path,) = (tmp_path / "ours").rglob("*.csv.gz")
    (tmp_path / "theirs").mkdir()
    path.rename(tmp_path / "theirs" / "greeks.csv.gz")
    printed = greeks_here(tmp_path, "report", "--output", "theirs", "--to", "page.html")
    assert "report: page.html" in printed
    text = (tmp_path / "page.html").read_text("utf-8")
    for absent in (
        "No run summary was found",
        "The files hold no trade date before 2024-03-14",
        "1 file of no download",
    ):
        assert absent in text
    assert {"smiles", "completeness", "delta", "errors"} <= set(figures(tmp_path / "page.html"))


def test_one_file_that_can_not_be_read_is_named_and_the_others_are_drawn(tmp_path: Path) -> None:
    with TerminalServer(Market()) as server:
        fill(tmp_path / "theirs", server, file_format="csv")
    (tmp_path / "theirs" / "bad.parquet").write_bytes(b"PAR1 is not enough")
    arguments = ("report", "--output", "theirs", "--to", "page.html")
    printed = greeks_here(tmp_path, *arguments, code=1)
    assert "report: page.html" in printed
    assert "can't be read: theirs/bad.parquet: " in printed
    assert "A file can&#39;t be read: theirs/bad.parquet: " in (tmp_path / "page.html").read_text()
    assert "smiles" in figures(tmp_path / "page.html")


def test_a_run_that_wrote_nothing_has_a_report_of_why(tmp_path: Path) -> None:
    saturday = "2024-03-16"
    greeks_here(
        tmp_path, "download", "--symbol", "SPXW", "--start_date", saturday, "--terminal", "embedded"
    )
    assert " wrote no file, and data/greeks has no file" in greeks_here(tmp_path, "report")
    text = (tmp_path / "data" / "greeks.meta" / "report.html").read_text("utf-8")
    assert "This run wrote no file." in text
    run = summaries(tmp_path)[0]["run_id"]
    assert run in text
    page = tmp_path / "page.html"
    asked = ["report", "--trade_date", "2024-03-14", "--to", str(page)]
    assert f"run {run} wrote no file, and data/greeks has no file" in greeks_here(
        tmp_path, *asked, code=1
    )
    with TerminalServer(Market()) as server:
        fill(tmp_path / "data" / "greeks", server)
    assert (
        f"run {run} wrote no file; greeks report --output data/greeks draws the files there, of "
        "SPXW from 2024-03-14 to 2024-03-14"
    ) in greeks_here(tmp_path, *asked, code=1)
    assert not page.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "printed"),
    [
        (["--time", "18:00"], 1, "no row of SPXW at 18:00 on 2024-03-14, nor in the 30 minutes"),
        (["nosuch"], 1, "there is no run nosuch"),
        (["--output", "nowhere"], 1, "--output: nowhere is not there"),
        (["--symbol", "SPX"], 1, "--symbol SPX is not in the files; they have SPXW"),
        (["--trade_date", "2024-03-12"], 1, "they have rows of 2024-03-13, 2024-03-14"),
        (["--time", "10"], 2, "'10' is not a time of day: HH:MM"),
        (["--to", "data"], 1, "data"),
    ],
)
def test_what_can_not_be_drawn_is_said(
    folder: Path, arguments: list[str], code: int, printed: str
) -> None:
    assert printed in greeks_here(folder, "report", *arguments, code=code)


def test_without_a_run_the_folder_of_a_download_is_drawn(folder: Path, tmp_path: Path) -> None:
    arguments = ("report", "--metrics", "nowhere", "--to", "page.html")
    assert "report: page.html" in greeks_here(folder, *arguments)
    printed = greeks_here(tmp_path, *arguments, code=1)
    assert "there is neither a run in nowhere nor a folder data/greeks" in printed


def test_without_the_extra_it_says_which_to_install(folder: Path) -> None:
    without = (
        "import sys; sys.modules['altair'] = None\n"
        "from pipeline.cli.main import main; sys.exit(main(['report']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "pip install 'theta-greeks-pipeline[report]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_help_and_a_download_load_no_drawing_library(folder: Path) -> None:
    script = (
        "import sys\nfrom pipeline.cli.main import main\n"
        "try: main(['report', '--help'])\nexcept SystemExit: pass\n"
        "import pipeline.run.command\n"
        "print({'altair', 'vl_convert', 'jinja2', 'pyarrow.parquet'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    assert not {"altair", "vl_convert"} & set(re.findall(r"\w+", done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_a_run_of_15000_expirations_is_drawn_in_300_mib(folder: Path) -> None:
    (run,) = summaries(folder)
    begun, *_ = run["expirations"]
    run["expirations"] = [
        begun
        | {
            "first_trade_date": str(date.fromordinal(begin)),
            "last_trade_date": str(date.fromordinal(begin)),
        }
        for begin in range(720_000, 735_000)
    ]
    (folder / "large.json").write_text(json.dumps(run), "utf-8")
    script = (
        "import os\nfrom pipeline.cli.main import main\n"
        "from pipeline.process.memory import high_water_mark\n"
        "code = main(['report', 'large.json', '--to', 'large.html'])\n"
        "print(code, high_water_mark(os.getpid()) >> 20)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=os.environ | WITHOUT_COVERAGE,
        capture_output=True,
        text=True,
        check=True,
    )
    printed, (code, peak) = (line.split() for line in done.stdout.splitlines())
    assert printed[:2] == ["report:", "large.html"]
    assert code == "0"
    assert int(peak) < 300


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        printed = "no chromium and chromedriver here (on Debian: apt-get install chromium-driver)"
        if os.environ.get("GREEKS_NEEDS_CHROMIUM"):
            pytest.fail(printed)
        pytest.skip(printed)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    made = webdriver.Chrome(options=options, service=Service(driver))
    yield made
    made.quit()


def emulate(
    browser: webdriver.Chrome, width: int, scheme: str, zone: str = "America/New_York"
) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def wait_until_drawn(browser: webdriver.Chrome, scheme: str) -> None:
    drawn = "return document.documentElement.dataset.drawn"
    WebDriverWait(browser, 60).until(lambda it: it.execute_script(drawn) == scheme)


# Of each figure, the number of its pixels' colours; and the background's.
COLOURS = """
return Object.fromEntries([...document.querySelectorAll("[data-figure]")].map((place) => {
  const canvas = place.querySelector("canvas");
  if (!canvas || !canvas.width || !canvas.height) return [place.dataset.figure, 0];
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [place.dataset.figure, new Set(new Uint32Array(data.buffer)).size];
}));
"""
SPILLING = """
return [...document.querySelectorAll("body *")]
  .filter((each) => !each.closest(".scroll") && each.getBoundingClientRect().right > innerWidth + 1)
  .map((each) => each.outerHTML.slice(0, 100));
"""


def console(browser: webdriver.Chrome) -> list[Any]:
    log: list[Any] = browser.get_log("browser")  # type: ignore[no-untyped-call]
    return log


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_a_browser_draws_every_figure_within_the_window_and_has_nothing_to_complain_of(
    browser: webdriver.Chrome, page: Path, width: int, scheme: str
) -> None:
    emulate(browser, width, scheme)
    browser.get(page.as_uri())
    wait_until_drawn(browser, scheme)
    colours = browser.execute_script(COLOURS)
    assert set(colours) == set(figures(page))
    # Axes and letters alone have some twenty, in their shades.
    assert {name for name, count in colours.items() if count < 25} == set()
    assert browser.execute_script(SPILLING) == []
    assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    assert console(browser) == []
    fetched = "return performance.getEntriesByType('resource').map((each) => each.name)"
    assert browser.execute_script(fetched) == []


PAPER = """
return [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]
  .map((colour) => colour.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3);
"""


@pytest.mark.slow
def test_the_page_follows_the_readers_colour_scheme_while_it_is_open(
    browser: webdriver.Chrome, page: Path
) -> None:
    emulate(browser, 1280, "light")
    browser.get(page.as_uri())
    wait_until_drawn(browser, "light")
    paper, ink = browser.execute_script(PAPER)
    assert paper > 200 > 60 > ink
    light = browser.execute_script("return document.querySelector('canvas').toDataURL()")
    emulate(browser, 1280, "dark")
    wait_until_drawn(browser, "dark")
    paper, ink = browser.execute_script(PAPER)
    assert paper < 40 < 200 < ink
    assert browser.execute_script("return document.querySelector('canvas').toDataURL()") != light
    assert browser.execute_script("return document.querySelectorAll('canvas').length") == len(
        figures(page)
    )


@pytest.mark.slow
def test_the_times_are_new_yorks_in_whatever_zone_the_page_is_opened(
    browser: webdriver.Chrome, page: Path
) -> None:
    pictures = []
    for zone in ("America/New_York", "Asia/Tokyo", "Europe/London"):
        emulate(browser, 1280, "light", zone)
        browser.get(page.as_uri())
        wait_until_drawn(browser, "light")
        pictures.append(
            browser.execute_script(
                "return ['course', 'completeness', 'changes-figure'].map((name) => document"
                ".querySelector(`[data-figure='${name}'] canvas`).toDataURL())"
            )
        )
    assert pictures[0] == pictures[1] == pictures[2]
