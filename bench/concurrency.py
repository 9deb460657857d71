"""How busy the workers keep the Terminal: `python -m bench.concurrency`.

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
import tempfile
import urllib.request
from typing import Any

from bench.processes import download, terminal

LATENCY = 0.25
WORKLOADS = {
    "equal": ["--interval", "1h", "--max_dte", "57"],
    "skewed": ["--interval", "5m"],
}


def run(arguments: list[str], concurrency: int) -> dict[str, Any]:
    """Returns the Terminal's figures of one download."""
    with tempfile.TemporaryDirectory() as folder, terminal("--latency", str(LATENCY)) as url:
        summary, _ = download(folder, url, *arguments, "--concurrency", str(concurrency))
        with urllib.request.urlopen(f"{url}/stats") as answer:
            history: dict[str, Any] = json.load(answer)["history"]
    history["in_hand"] = sum(result["seconds"] for result in summary["expirations"])
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
