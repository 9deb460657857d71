"""Adds faults to the answers of a stand-in: the same ones each time, whatever else is going on.

Whether a request is hit depends on the seed, the kind of fault, the request itself and how often
it was made before: not on threads, nor on other requests. Only rules for the first so many
requests depend on which these are.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

from pipeline.simulator import v2, v3
from pipeline.simulator.answers import Answer, Cut, Request, Responder, Trouble, text_answer
from pipeline.simulator.faults import damage
from pipeline.simulator.faults.rules import NO_ROWS, Rule
from pipeline.simulator.parameters import ONE_DAY, date_of

_PAUSE = 0.02
_ENDS = ("start", "end")
_LONGEST = timedelta(days=31)  # longer ranges are refused

TEXTS = {
    400: ONE_DAY,
    403: "Requesting an index endpoint requiring a value subscription, but you only have a FREE "
    "subscription.",
    404: "Not found",
    410: v3.UPGRADE_PATH,
    429: "Too many requests: the queue is full",
    470: "General error",
    471: "Permission denied: this request needs another subscription",
    473: "Invalid parameters",
    474: "Connection lost to Theta Data MDDS.",
    475: "The answer could not be parsed",
    476: "Wrong IP: do not mix 127.0.0.1 and localhost",
    477: "No page found",
    478: "Invalid session ID",
    500: "Internal server error",
    570: "Large request",
    571: "SERVER_STARTING",
    572: "Uncaught error",
}
"""The bodies of faults that are a status. Those of 400, 403, 410, 474 and 571 are the Terminal's
own words, that of 472 is each generation's `NO_DATA`; the others are not known and are ours."""

NO_DATA = {"v2": v2.NO_DATA, "v3": v3.NO_DATA}


@dataclass
class Chaos:
    """A responder that wraps another, and lets some of its answers go wrong.

    Only requests for rows of Greeks are hit, each by one rule at most: the first that applies.

    Attributes:
        responder: gives the answers that are right.
        rules: what goes wrong.
        seed: of the chances.
        limit: the most faulty answers to the same request, but for permanent faults.
        api: whose words are spoken.
        headers: of each 429.
        key: names a request; two that ask for the same have the same name.
        on_fault: called with the kind of each fault.
    """

    responder: Responder
    rules: Sequence[Rule]
    seed: int
    limit: int
    api: str
    headers: Mapping[str, str]
    key: Callable[[Request], str]
    on_fault: Callable[[str], None]

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._attempts: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._left = {rule: rule.first for rule in self.rules}
        self._hit: set[tuple[Rule, str]] = set()

    def __call__(self, request: Request) -> Answer:
        """Returns the answer to a request, right or wrong."""
        if not request.is_history:
            return self.responder(request)
        key = self.key(request)
        with self._lock:
            self._attempts[key] += 1
            attempt = self._attempts[key]
            days = _days(key)
            hits = (rule for rule in self.rules if self._hits(rule, key, attempt, days))
            rule = next(hits, None)
            if rule is not None and not rule.permanent:
                self._faults[key] += 1
        if rule is None:
            return self.responder(request)
        answer = self._instead(rule.kind)
        if answer is None:
            right = self.responder(request)
            if right.status != 200:
                return right
            # Permanent faults are the same each time.
            number = 0 if rule.permanent else attempt
            if rule.kind == NO_ROWS:
                drawn = self._chance(key.partition("#")[0], NO_ROWS, number, "trade date")
                day = rule.trade_date or days[int(drawn * len(days))]
                answer = replace(right, parts=damage.without(right.parts, day))
            else:
                answer = self._damaged(right, rule.kind, key, number)
        self.on_fault(rule.kind)
        return answer

    def _hits(self, rule: Rule, key: str, attempt: int, days: Sequence[date]) -> bool:
        if rule.permanent and (rule, key) in self._hit:
            return True
        if not rule.permanent and self._faults[key] >= self.limit:
            return False
        if rule.kind == NO_ROWS and not days:
            return False
        if rule.trade_date is not None:
            # A page lacks what the answer lacks that it is of.
            return rule.trade_date in days and (rule.kind == NO_ROWS or "#" not in key)
        if not rule.first:
            name = (f"{rule.kind}!",) if rule.permanent else (rule.kind, attempt)
            return self._chance(key, *name) < rule.probability
        if not self._left[rule]:
            return False
        self._left[rule] -= 1
        if rule.permanent:
            self._hit.add((rule, key))
        return True

    def _chance(self, *names: object) -> float:
        digest = sha256("\n".join(map(str, (self.seed, *names))).encode()).digest()
        return int.from_bytes(digest[:8], "big") / (1 << 64)

    def _instead(self, kind: str) -> Answer | None:
        """Returns the answer of a fault that needs no right answer, or None."""
        if kind in ("reset", "hang"):
            return replace(text_answer(200, ""), trouble=Trouble(instead=kind))
        if kind == "nodata200":
            return text_answer(200, NO_DATA[self.api])
        if not kind.isdecimal():
            return None
        status = int(kind)
        text = NO_DATA[self.api] if status == 472 else TEXTS.get(status, f"Error {status}")
        return replace(text_answer(status, text), headers=self.headers if status == 429 else {})

    def _damaged(self, answer: Answer, kind: str, key: str, attempt: int) -> Answer:
        def draw(name: str) -> float:
            return self._chance(key, kind, attempt, name)

        if kind == "slow":
            return replace(answer, trouble=Trouble(pause=_PAUSE))
        if kind == "malformed":
            return replace(answer, parts=damage.malformed(answer.parts, answer.rows, draw))
        inside = draw("inside") < 0.5
        if kind == "restate":
            parts = damage.restated(answer.parts, answer.rows, draw)
            ending = Cut(lambda parts: damage.cut_late(parts, answer.rows, draw), inside)
            return replace(answer, parts=parts, trouble=Trouble(cut=ending))
        ending = Cut(lambda parts: damage.cut(parts, answer.rows, draw), inside)
        return replace(answer, trouble=Trouble(cut=ending))


def _days(key: str) -> list[date]:
    """Returns the dates that a request is for, by its key."""
    given = dict(parse_qsl(urlsplit(key).query))
    first, last = (date_of(given.get("date") or given.get(f"{end}_date", "")) for end in _ENDS)
    if first is None or last is None or last - first > _LONGEST:
        return []
    return [first + timedelta(n) for n in range((last - first).days + 1)]
