"""The answers, made once and kept in files: serving one is one system call.

The digits are those of the stand-in Terminal's market: one answer of it, of which each expiration
takes as many contracts as it is to have, with its own date in every row.
"""

import subprocess
import urllib.request
from datetime import date
from pathlib import Path

import numpy as np

from bench.peers.work import LAST_TRADE_DATE, MINUTES, SYMBOL, Work

_EXPIRATION = date(2024, 3, 15)
_QUERY = (
    f"/v3/option/history/greeks/first_order?symbol={SYMBOL}&expiration={_EXPIRATION}"
    f"&date={LAST_TRADE_DATE}&interval=1m&format=csv"
)


class Template:
    """An answer of the stand-in Terminal, one line a contract and minute."""

    def __init__(self, greeks: list[str]) -> None:
        serve = [*greeks, "terminal", "--port", "0", "--exit_with_stdin"]
        with subprocess.Popen(
            serve, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as terminal:
            assert terminal.stdout is not None
            assert terminal.stdin is not None
            url = terminal.stdout.readline().split()[-1]
            with urllib.request.urlopen(url + _QUERY) as answer:
                body = answer.read()
            terminal.stdin.close()
        header, _, rows = body.partition(b"\n")
        self.header = header + b"\n"
        self._rows = np.frombuffer(rows, np.uint8)
        self._ends = np.flatnonzero(self._rows == ord("\n")) + 1
        self.contracts = len(self._ends) // MINUTES
        self._dates = {
            day: _places(rows, str(day).encode()) for day in (_EXPIRATION, LAST_TRADE_DATE)
        }

    def answer(self, contracts: int, expiration: date, day: date) -> bytes:
        """Returns the answer for an expiration and a trade date: the contracts in the middle."""
        if contracts > self.contracts:
            raise ValueError(f"{contracts} contracts of an expiration: there are {self.contracts}")
        first = (self.contracts - contracts) // 2 * MINUTES
        start = int(self._ends[first - 1]) if first else 0
        end = int(self._ends[first + contracts * MINUTES - 1])
        rows = self._rows[start:end].copy()
        for there, wanted in ((_EXPIRATION, expiration), (LAST_TRADE_DATE, day)):
            places = self._dates[there]
            places = places[(places >= start) & (places < end)] - start
            rows[places[:, None] + np.arange(10)] = np.frombuffer(str(wanted).encode(), np.uint8)
        return b"".join([self.header, rows.tobytes()])


def _places(rows: bytes, text: bytes) -> np.ndarray:
    found, at = [], rows.find(text)
    while at >= 0:
        found.append(at)
        at = rows.find(text, at + len(text))
    return np.array(found)


def can(template: Template, work: Work, folder: Path) -> int:
    """Writes every answer of some work to a folder, and returns how many bytes they have."""
    folder.mkdir(parents=True)
    total = 0
    for expiration, contracts in zip(work.expirations, work.contracts, strict=True):
        for day in work.days:
            body = template.answer(contracts, expiration, day)
            (folder / f"{expiration}_{day}.csv").write_bytes(body)
            total += len(body)
    return total
