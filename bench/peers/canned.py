"""The answers, made once and kept in files: serving one is one system call.

The digits are those of the stand-in Terminal's market: one answer of it, of which each expiration
takes as many contracts as it is to have, with its own date in every row. Those of v2 come in pages.
"""

import itertools
import sys
import urllib.request
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import numpy as np

from bench.peers.work import LAST_TRADE_DATE, MINUTES, SYMBOL, Work, text_of
from bench.processes import serving, terminal

_EXPIRATION = date(2024, 3, 15)
_QUERIES = {
    "v3": f"/v3/option/history/greeks/first_order?symbol={SYMBOL}&expiration={_EXPIRATION}"
    f"&date={LAST_TRADE_DATE}&interval=1m&format=csv",
    "v2": f"/v2/bulk_hist/option/greeks?root={SYMBOL}&exp={_EXPIRATION:%Y%m%d}&use_csv=true"
    f"&start_date={LAST_TRADE_DATE:%Y%m%d}&end_date={LAST_TRADE_DATE:%Y%m%d}&ivl=60000",
}
_PAGE_ROWS = 10_000  # of v2


class Template:
    """An answer of the stand-in Terminal, of one generation, one line a contract and minute."""

    def __init__(self, greeks: list[str], api: str = "v3") -> None:
        self._api = api
        with (
            terminal("--api", api, greeks=greeks) as url,
            urllib.request.urlopen(url + _QUERIES[api]) as answer,
        ):
            body = answer.read()
        header, _, rows = body.partition(b"\n")
        self.header = header + b"\n"
        self._rows = np.frombuffer(rows, np.uint8)
        self._ends = np.flatnonzero(self._rows == ord("\n")) + 1
        self.contracts = len(self._ends) // MINUTES
        self._dates = {
            day: _places(rows, f",{text_of(day, api)}".encode()) + 1
            for day in (_EXPIRATION, LAST_TRADE_DATE)
        }

    def answer(self, contracts: int, expiration: date, day: date) -> list[bytes]:
        """Returns the answer for an expiration and a trade date: the contracts in the middle.

        It has one page of v3, and of v2 as many as it takes, the first with the header.
        """
        if contracts > self.contracts:
            raise ValueError(f"{contracts} contracts of an expiration: there are {self.contracts}")
        first = (self.contracts - contracts) // 2 * MINUTES
        start = int(self._ends[first - 1]) if first else 0
        end = int(self._ends[first + contracts * MINUTES - 1])
        rows = self._rows[start:end].copy()
        for there, wanted in ((_EXPIRATION, expiration), (LAST_TRADE_DATE, day)):
            places = self._dates[there]
            places = places[(places >= start) & (places < end)] - start
            text = np.frombuffer(text_of(wanted, self._api).encode(), np.uint8)
            rows[places[:, None] + np.arange(len(text))] = text
        ends = self._ends[first : first + contracts * MINUTES] - start
        page = len(ends) if self._api == "v3" else _PAGE_ROWS
        edges = [0, *ends[page - 1 : -1 : page].tolist(), end - start]
        pages = [rows[low:high].tobytes() for low, high in itertools.pairwise(edges)]
        return [self.header + pages[0], *pages[1:]]


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
            name = f"{text_of(expiration, work.api)}_{text_of(day, work.api)}"
            for n, page in enumerate(template.answer(contracts, expiration, day)):
                (folder / f"{name}_{n}.csv").write_bytes(page)
                total += len(page)
    return total


def serve(folder: Path, latency: float) -> AbstractContextManager[str]:
    """Serves canned answers from a process of its own, and gives its address."""
    return serving(sys.executable, "-m", "bench.peers.server", str(folder), str(latency))
