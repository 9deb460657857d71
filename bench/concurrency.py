"""How busy the workers keep the Terminal: `python bench/concurrency.py`.

Serves a simulated market with 250 ms of latency, downloads it at 1, 2, 4 and 8 requests at a time,
and prints for each the seconds from the first request to the last answer, beside what n requests
must take (n / c, rounded up, * 0.25 s); the share of the c workers' time, from the first request
to the last answer, in which they had an expiration in hand; and the share of the c places at the
Terminal that were taken until the last expiration started.

Equal: 40 expirations, one row an hour. Skewed: a trade date of SPXW every five minutes, whose near
expirations are several times larger than its far ones.
"""

import json
import math
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

LATENCY = 0.25
DAY = ["--symbol", "SPXW", "--start_date", "2024-03-14"]
WORKLOADS = {
    "equal": [*DAY, "--interval", "1h", "--max_dte", "57"],
    "skewed": [*DAY, "--interval", "5m"],
}


def run(arguments: list[str], concurrency: int) -> dict[str, Any]:
    """Returns the Terminal's figures of one download."""
    greeks = [sys.executable, "-m", "pipeline"]
    serve = [*greeks, "terminal", "--port", "0", "--latency", str(LATENCY), "--exit_with_stdin"]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as terminal,
    ):
        assert terminal.stdout is not None
        url = terminal.stdout.readline().split()[-1]
        download = ["download", *arguments, "--terminal", url, "--concurrency", str(concurrency)]
        download += ["--output", f"{folder}/greeks", "--metrics", f"{folder}/metrics"]
        subprocess.run([*greeks, *download], check=True, stdout=subprocess.DEVNULL)
        with urllib.request.urlopen(f"{url}/stats") as answer:
            history: dict[str, Any] = json.load(answer)["history"]
        (path,) = Path(folder).glob("metrics/*.json")
        results = json.loads(path.read_text())["expirations"]
        history["in_hand"] = sum(result["seconds"] for result in results)
        assert terminal.stdin is not None
        terminal.stdin.close()
    return history


def main() -> None:
    """Prints the table."""
    heads = ["work", "at a time", "requests", "seconds", "least possible", "ratio"]
    print(f"| {' | '.join([*heads, 'workers busy', 'places taken'])} |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, arguments in WORKLOADS.items():
        for concurrency in (1, 2, 4, 8):
            history = run(arguments, concurrency)
            seconds = history["last_end"] - history["first_start"]
            until = history["last_start"] - history["first_start"]
            taken = history["busy_seconds_at_last_start"] / (concurrency * until)
            in_hand = history["in_hand"] / (concurrency * seconds)
            least = math.ceil(history["requests"] / concurrency) * LATENCY
            cells = [name, concurrency, history["requests"], f"{seconds:.2f}", f"{least:.2f}"]
            cells += [f"{seconds / least:.2f}", f"{in_hand:.0%}", f"{taken:.0%}"]
            print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
