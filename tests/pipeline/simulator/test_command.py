"""`greeks terminal`: its flags, and the process that they start."""

import argparse
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from pipeline.simulator import add_arguments
from pipeline.simulator.flags import DEFAULT_PORTS
from pipeline.simulator.server import TerminalServer

ROOT = Path(__file__).parents[3]
PROGRAM = """
import argparse, sys
from pipeline.simulator import add_arguments, serve
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(serve(parser.parse_args()))
"""


def parse(*flags: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser.parse_args(flags)


@contextmanager
def running(*flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, *flags]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def url_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("stand-in Theta Terminal at http://127.0.0.1:")
    return line.split()[-1]


def fetch(url: str) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        return str(response.read().decode())


def test_the_flags_have_the_defaults_of_a_professional_terminal() -> None:
    options = parse()
    assert (options.api, options.port, options.seed) == ("v3", None, 0)
    assert DEFAULT_PORTS == {"v3": 25503, "v2": 25510}
    assert options.symbols == ("SPXW", "SPX")
    assert (options.concurrency, options.queue, options.latency) == (8, 16, 0.0)
    assert (options.style, options.last_date, options.exit_with_stdin) == (
        "documented",
        None,
        False,
    )


def test_the_flags_are_read() -> None:
    options = parse("--symbols", "aapl, SPXW", "--last_date", "2024-03-14", "--latency", "0.5")
    assert options.symbols == ("AAPL", "SPXW")
    assert options.last_date == date(2024, 3, 14)
    assert options.latency == 0.5


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--port", "-1"),
        ("--port", "65536"),
        ("--concurrency", "0"),
        ("--latency", "soon"),
        ("--latency", "-1"),
        ("--last_date", "1999-01-01"),
        ("--last_date", "today"),
        ("--symbols", "SPXW,,SPX"),
        ("--style", "gothic"),
        ("--api", "v4"),
        ("--row_limit", "0"),
        ("--tick_limit", "many"),
        ("--page_expire", "-1"),
        ("--chaos", "471"),
        ("--chaos", "earthquake:0.1"),
        ("--retry_after", "later"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_flag(flag: str, value: str) -> None:
    with pytest.raises(argparse.ArgumentError, match=flag):
        parse(f"{flag}={value}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(number: signal.Signals) -> None:
    with running("--port", "0", "--seed", "3") as process:
        assert '"seed": 3' in fetch(f"{url_of(process)}/stats")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_it_ends_with_its_standard_input() -> None:
    with running("--port", "0", "--exit_with_stdin") as process:
        assert fetch(f"{url_of(process)}/v3/terminal/mdds/status") == "CONNECTED"
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "", "")


def test_the_style_reaches_the_server() -> None:
    with running("--port", "0", "--style", "live") as process:
        assert '"SPX"\n' in fetch(f"{url_of(process)}/v3/option/list/symbols")


def test_a_taken_port_is_an_error_that_names_the_flag() -> None:
    with TerminalServer() as server:
        port = server.url.rpartition(":")[2]
        with running("--port", port) as process:
            out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(f"port {port} cannot be used: ")
    assert err.rstrip().endswith("see --port")


def test_its_flags_do_not_import_the_market() -> None:
    program = (
        "import sys; import pipeline.simulator; "
        "print([m for m in ('numpy', 'scipy', 'pyarrow') if m in sys.modules])"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert out.stdout == "[]\n"
