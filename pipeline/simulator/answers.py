"""Requests and answers of the stand-in, without HTTP and whatever the generation of the API."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from pipeline.simulator.formats import Stretch

TEXT = "text/plain"


@dataclass(frozen=True)
class Request:
    """A GET request.

    Attributes:
        path: without the query.
        parameters: the query's; of one that is given twice, the last.
    """

    path: str
    parameters: Mapping[str, str]

    @property
    def canonical(self) -> str:
        """The path and the query, the same whatever the order of the parameters."""
        return f"{self.path}?{urlencode(sorted(self.parameters.items()))}"

    @property
    def is_history(self) -> bool:
        """Whether it asks for rows of Greeks, or for a page of them."""
        return any(f"/{word}/" in self.path for word in ("history", "bulk_hist", "page"))


@dataclass(frozen=True)
class Cut:
    """How an answer breaks off.

    Attributes:
        beginning: returns the bytes that are sent of a body before the connection is closed.
        inside_chunk: the last chunk, if there are chunks, says that it is longer than it is.
    """

    beginning: Callable[[Iterable[Stretch]], Iterator[Stretch]]
    inside_chunk: bool = False


@dataclass(frozen=True)
class Trouble:
    """What goes wrong while an answer is sent.

    Attributes:
        instead: `reset`: the connection is reset before the status line; `hang`: nothing is sent
            until the other side goes away; or empty.
        cut: how it breaks off, or None.
        pause: seconds of rest between two stretches of the body.
    """

    instead: str = ""
    cut: Cut | None = None
    pause: float = 0.0


NO_TROUBLE = Trouble()


@dataclass(frozen=True)
class Answer:
    """What to send back.

    Attributes:
        status: the HTTP status.
        content_type: the header's value.
        parts: the body, made while it is read; to be read once.
        rows: how many rows of Greeks the whole body holds.
        headers: further headers, by name.
        trouble: what goes wrong while it is sent.
    """

    status: int
    content_type: str
    parts: Iterable[Stretch]
    rows: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    trouble: Trouble = NO_TROUBLE


Responder = Callable[[Request], Answer]
"""What a server asks for answers. One that wraps another can add faults, or another dialect."""


def text_answer(status: int, text: str) -> Answer:
    """Returns an answer of plain text."""
    return Answer(status, TEXT, [Stretch(text.encode(), 0)])


def not_found(request: Request, prefix: str, served: Iterable[str]) -> Answer:
    """Returns the 404 for a path that is not served, with the paths that are.

    Args:
        request: for the path.
        prefix: of every path that is served.
        served: the rest of each.
    """
    paths = "".join(f"\n{prefix}{path}" for path in served)
    return text_answer(404, f"Not found: {request.path}\nThis stand-in serves:{paths}")
