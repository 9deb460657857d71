"""The Terminals of a download, and what tells their rows from other ones'."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from pipeline.config.download_config import EMBEDDED, LOCAL_URLS, DownloadConfig
from pipeline.errors import Conflict
from pipeline.simulator.embedded import EmbeddedTerminal, embedded_terminal
from transforms.dispatch.terminals import Terminal
from transforms.schema import END_OF_DAY
from transforms.thetadata import RetryPolicy, TerminalUnreachable, find_terminal
from transforms.workers.stop import NEVER, Stop


@contextmanager
def found_terminals(
    config: DownloadConfig, stop: Stop = NEVER
) -> Iterator[tuple[tuple[Terminal, ...], EmbeddedTerminal | None]]:
    """Gives the Terminals that answer, and the child process if it is an embedded one.

    Of several that are named, those that do not answer are set aside, and said so.

    Args:
        config: the download.
        stop: ends the waiting for an answer.

    Raises:
        TerminalUnreachable: none answers.
        Stopped: `stop` was set.
        RuntimeError: an embedded one did not start.
    """
    with ExitStack() as stack:
        embedded = None
        choices = [[url] for url in config.terminals] or [list(LOCAL_URLS)]
        api = config.api
        if config.terminal == EMBEDDED:
            embedded = stack.enter_context(embedded_terminal(config.symbols, config.seed))
            choices, api = [[embedded.url]], "v3"
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
            raise reasons[0]
        for reason in reasons:
            print(f"set aside: {reason}", file=sys.stderr)
        yield tuple(found), embedded


def one_source(
    terminals: Sequence[Terminal], config: DownloadConfig, stop: Stop = NEVER
) -> tuple[str | None, str]:
    """Returns which simulated market the Terminals serve (None: a real one), and their origin.

    Raises:
        Conflict: they do not all serve the same.
        ThetaError: one does not answer any more.
    """
    told: dict[tuple[str | None, str], str] = {}
    for terminal in terminals:
        with terminal.client(stop) as client:
            simulation = client.simulation()
        told.setdefault((simulation, origin_of(simulation, terminal.api, config)), terminal.url)
    if len(told) > 1:
        each = ", ".join(f"{url} has {origin}" for (_, origin), url in told.items())
        raise Conflict(f"--terminal: the Terminals do not serve the same: {each}")
    return next(iter(told))


def origin_of(simulation: str | None, api: str, config: DownloadConfig) -> str:
    """Returns what tells two origins of a file apart, for the manifest.

    That is a market's seed, and for end of day, which the generations compute differently, the
    generation.

    Args:
        simulation: of `ThetaClient.simulation()`.
        api: the generation that answers.
        config: the download.
    """
    origin = f"simulated, {simulation}" if simulation else "live"
    return f"{origin}, {api}" if config.greeks == END_OF_DAY else origin
