"""The Terminal of a download, and what tells its rows from another one's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from pipeline.config import EMBEDDED, LOCAL_URLS, DownloadConfig
from pipeline.embedded import EmbeddedTerminal, embedded_terminal
from transforms.fetch import Terminal
from transforms.schema import END_OF_DAY
from transforms.stopping import NEVER, Stop
from transforms.thetadata import RetryPolicy, find_terminal


@contextmanager
def found_terminal(
    config: DownloadConfig, stop: Stop = NEVER
) -> Iterator[tuple[Terminal, EmbeddedTerminal | None]]:
    """Gives the Terminal that answers, and the child process that it is if it is embedded.

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
        urls = [config.terminal] if config.terminal else list(LOCAL_URLS)
        api = config.api
        if config.terminal == EMBEDDED:
            embedded = stack.enter_context(embedded_terminal(config.symbols, config.seed))
            urls, api = [embedded.url], "v3"
        policy = RetryPolicy(config.attempts, config.retry_seconds)
        yield Terminal(*find_terminal(urls, api, stop=stop), config.timeout, policy), embedded


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
