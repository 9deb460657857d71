"""What a peer is asked for, in a JSON file."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

from bench.peers.work import SYMBOL, text_of


@dataclass(frozen=True)
class Asked:
    """Attributes: where from, of which generation, what, where to, and requests at once."""

    terminal: str
    api: str
    expirations: list[str]
    days: list[str]
    output: Path
    concurrency: int

    def urls(self, expiration: str) -> list[str]:
        """Returns the requests of an expiration, a trade date each."""
        if self.api == "v2":
            return [self._v2(date.fromisoformat(expiration), each) for each in self.days]
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

    def _v2(self, expiration: date, day: str) -> str:
        trade_date = text_of(date.fromisoformat(day), "v2")
        return f"{self.terminal}/v2/bulk_hist/option/greeks?" + urlencode(
            {
                "root": SYMBOL,
                "exp": text_of(expiration, "v2"),
                "start_date": trade_date,
                "end_date": trade_date,
                "ivl": "60000",
                "use_csv": "true",
            }
        )


def read_asked(path: str) -> Asked:
    """Returns what the file says."""
    document = json.loads(Path(path).read_text())
    return Asked(**{**document, "output": Path(document["output"])})
