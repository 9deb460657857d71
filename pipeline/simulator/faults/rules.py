"""What goes wrong, and how often: the language of `--chaos`. Light to import."""

from dataclasses import dataclass
from datetime import date

NO_ROWS = "norows"
WITHOUT_STATUS = ("reset", "cut", "slow", "hang", "malformed", "nodata200", NO_ROWS, "restate")
"""The kinds of fault that are not an HTTP status."""


@dataclass(frozen=True)
class Rule:
    """A kind of fault, and which requests it hits: a share, the first ones, or a trade date's.

    Attributes:
        kind: an HTTP status from 400 to 599, or one of `WITHOUT_STATUS`.
        probability: that a request is hit, below 1.
        first: so many requests are hit, whichever come first.
        trade_date: requests for it are hit, those for a range around it, too.
        permanent: a request that is hit once is hit each time it comes.
    """

    kind: str
    probability: float = 0.0
    first: int = 0
    trade_date: date | None = None
    permanent: bool = False


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Returns the rules of a text such as `429:0.1,474:3,471!:0.02`.

    A value below 1 is the probability for each request; a whole number means that the first so many
    requests are hit; a date such as 2024-03-14 means those for that trade date. An exclamation mark
    behind the kind makes it permanent.

    Raises:
        ValueError: a rule is wrong; names it and its mistake.
    """
    rules = tuple(_rule(word.strip()) for word in text.split(",") if word.strip())
    kinds = [(rule.kind, rule.permanent, rule.trade_date) for rule in rules]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise ValueError(f"{kind[0]} is there twice")
    return rules


def _rule(word: str) -> Rule:
    name, colon, value = word.partition(":")
    kind = name.removesuffix("!")
    if not (kind in WITHOUT_STATUS or (kind.isdecimal() and 400 <= int(kind) <= 599)):
        known = ", ".join(WITHOUT_STATUS)
        raise ValueError(f"{word!r}: {kind!r} is neither a status from 400 to 599, nor {known}")
    if (day := _date(value)) is not None:
        return Rule(kind, trade_date=day, permanent=name != kind)
    try:
        number = float(value) if colon else -1.0
    except ValueError:
        number = -1.0
    if 0 <= number < 1:
        return Rule(kind, probability=number, permanent=name != kind)
    if 1 <= number < 1e9 and number == int(number):
        return Rule(kind, first=int(number), permanent=name != kind)
    raise ValueError(
        f"{word!r}: what follows the colon is neither a probability below 1 nor a whole number nor "
        "a trade date such as 2024-03-14"
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2024-03-14") else None
    except ValueError:
        return None
