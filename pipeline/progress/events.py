"""A run as JSON, an object a line, for a program that started it."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, TextIO

_NOT_TOTALS = ("expirations", "samples")  # what has events of its own, and the run over time


class Events:
    """Writes the events of one run to a stream, each as soon as it happens.

    | event | members |
    |---|---|
    | `started` | `run_id`, `start_time`, `request` |
    | `result` | those of an expiration in the run summary |
    | `finding` | the key of the expiration, `rule`, `count` |
    | `summary` | those of the run summary without its expirations; `record`: where that is kept |

    Every event also has `event`, its name, and `time`, in UTC. A `finding` comes after the `result`
    that it is about; `summary` is the last one.

    Args:
        out: takes the lines.
    """

    for_programs = True

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def started(self, record: Mapping[str, Any]) -> None:
        """Writes that a run begins, of which this is the start record."""
        self._write(_line("started", {n: record[n] for n in ("run_id", "start_time", "request")}))

    def lines(self, result: Mapping[str, Any]) -> Iterator[str]:
        """Yields the events of a described `ExpirationResult`."""
        described = {name: value for name, value in result.items() if name != "kind"}
        yield _line("result", described)
        key = {name: result[name] for name in _KEY}
        for finding in (result.get("quality") or {}).get("findings", ()):
            found = {"rule": finding["rule"], "count": finding["count"]}
            yield _line("finding", key | found)

    def summary(self, record: Mapping[str, Any], where: str) -> None:
        """Writes how a run ended.

        Args:
            record: the whole one.
            where: it is kept.
        """
        totals = {name: value for name, value in record.items() if name not in _NOT_TOTALS}
        self._write(_line("summary", totals | {"record": where}))

    def _write(self, line: str) -> None:
        print(line, file=self.out, flush=True)


_KEY = ("symbol", "expiration", "first_trade_date", "last_trade_date", "greeks")


def _line(event: str, members: Mapping[str, Any]) -> str:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    return json.dumps({"event": event, "time": now, **members})
