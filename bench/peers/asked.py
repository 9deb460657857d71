"""What a peer is asked for, in a JSON file."""

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench.peers.work import SYMBOL


@dataclass(frozen=True)
class Asked:
    """Attributes: where from, what, where to, and how many requests at once."""

    terminal: str
    expirations: list[str]
    days: list[str]
    output: Path
    concurrency: int

    def urls(self, expiration: str) -> list[str]:
        """Returns the requests of an expiration, a trade date each."""
        return [
            f"{self.terminal}/v3/option/history/greeks/first_order?"
            + urlencode(
                {
                    "symbol": SYMBOL,
                    "expiration": expiration,
                    "date": day,
                    "interval": "1m",
                    "format": "csv",
                }
            )
            for day in self.days
        ]


def read_asked(path: str) -> Asked:
    """Returns what the file says."""
    document = json.loads(Path(path).read_text())
    return Asked(**{**document, "output": Path(document["output"])})
