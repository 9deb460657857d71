"""Where the rows of a download come from: Terminals that all serve the same market."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from pipeline.config import DownloadConfig
from pipeline.config.source import EMBEDDED, LOCAL_URLS
from pipeline.errors import Conflict
from pipeline.messages import PRINTED, Messages
from pipeline.simulator.embedded import EmbeddedTerminal, embedded_terminal
from transforms.dispatch import Terminal
from transforms.thetadata import RetryPolicy, TerminalUnreachable, ThetaClient, find_terminal
from transforms.thetadata.connect import unreachable
from transforms.workers.stop import NEVER, Stop

SIMULATED, LIVE = "simulated", "live"

ONE_GENERATION = (
    "name Terminals of one generation: v2 counts the time of the last week otherwise than v3, and "
    "takes the end of the day from other prices, so that one download would have rows of both kinds"
)
ONE_MARKET = "name only Terminals of one market"

_WITHOUT_ONE = (
    "To try without one: --terminal embedded, a simulated market. To find out: greeks doctor"
)


@dataclass(frozen=True)
class Source:
    """Terminals that answer, and whose data they serve.

    Attributes:
        terminals: at least one.
        embedded: the child process if the Terminal is a simulated one of this run's own.
        data: `live` or `simulated`.
        origin: for the manifest, what distinguishes rows of this source from those of another: a
            simulated market's seed, and v2; see `GreeksRequest.origin`.
    """

    terminals: tuple[Terminal, ...]
    embedded: EmbeddedTerminal | None
    data: str
    origin: str

    @property
    def concurrency(self) -> int:
        """How many requests may be outstanding at once, at all Terminals together."""
        return sum(terminal.slots for terminal in self.terminals)

    def client(self, stop: Stop = NEVER) -> ThetaClient:
        """Returns a new client of the first Terminal, for what all of them know."""
        return self.terminals[0].client(stop)

    def describe(self) -> dict[str, str]:
        """Returns the source as the run's record keeps it."""
        return {
            "terminal": ",".join(each.url for each in self.terminals),
            "api": ",".join(dict.fromkeys(each.api for each in self.terminals)),
            "data": self.data,
        }


@contextmanager
def open_source(
    config: DownloadConfig, stop: Stop = NEVER, messages: Messages = PRINTED
) -> Iterator[Source]:
    """Gives the source of a download; an embedded Terminal runs while the block lasts.

    Of several Terminals that are named, those that do not answer are set aside, with a
    warning.

    Args:
        config: the download.
        stop: ends the waiting for an answer.
        messages: where warnings go.

    Raises:
        TerminalUnreachable: none answers.
        ThetaError: one does not answer any more.
        Stopped: `stop` was set.
        Conflict: they do not all serve the same.
        RuntimeError: an embedded one did not start.
    """
    with ExitStack() as stack:
        embedded = None
        choices, api = [[url] for url in config.terminals] or [list(LOCAL_URLS)], config.api
        if config.terminal == EMBEDDED:
            embedded = stack.enter_context(embedded_terminal(config.symbols, config.seed))
            choices, api = [[embedded.url]], "v3"
        terminals = _answering(choices, api, config, stop, messages)
        data, origin = _served(terminals, stop)
        yield Source(terminals, embedded, data, origin)


def _answering(
    choices: list[list[str]],
    api: str,
    config: DownloadConfig,
    stop: Stop,
    messages: Messages,
) -> tuple[Terminal, ...]:
    """Returns the first Terminal that answers of each choice."""
    policy = RetryPolicy(config.attempts, config.retry_seconds)
    found: list[Terminal] = []
    reasons: list[TerminalUnreachable] = []
    for urls in choices:
        try:
            url, answers = find_terminal(urls, api, stop=stop)
        except TerminalUnreachable as error:
            reasons.append(error)
            continue
        slots = config.outstanding(answers)
        found.append(Terminal(url, answers, config.timeout, policy, slots))
    if not found:
        raise unreachable(map(str, reasons), _WITHOUT_ONE)
    for reason in reasons:
        messages.warn(f"set aside: {reason}")
    return tuple(found)


def _served(terminals: tuple[Terminal, ...], stop: Stop) -> tuple[str, str]:
    """Returns the data and the origin that all Terminals share."""
    served: dict[tuple[str, str], str] = {}
    for terminal in terminals:
        with terminal.client(stop) as client:
            simulation = client.simulation()
        origin = f"{SIMULATED}, {simulation}" if simulation else LIVE
        if terminal.api == "v2":
            origin = f"{origin}, v2"
        served.setdefault((SIMULATED if simulation else LIVE, origin), terminal.url)
    if len(served) > 1:
        each = ", ".join(f"{url} has {origin}" for (_, origin), url in served.items())
        wanted = ONE_GENERATION if len({one.api for one in terminals}) > 1 else ONE_MARKET
        raise Conflict(f"--terminal: the Terminals do not serve the same: {each}; {wanted}")
    return next(iter(served))
