"""Finds the Terminal that answers, and the generation of its API."""

from collections.abc import Iterable

from transforms.thetadata.client import ThetaClient
from transforms.thetadata.errors import START, Stopped, TerminalUnreachable, ThetaError
from transforms.thetadata.listings import DIALECTS
from transforms.workers.stop import NEVER, Stop


def find_terminal(
    urls: list[str], api: str = "auto", timeout: float = 30.0, stop: Stop = NEVER
) -> tuple[str, str]:
    """Returns the address and the generation of the first Terminal that answers as connected.

    Args:
        urls: addresses to try, in turn.
        api: `v3` or `v2`, or `auto` to ask each address for the one and then for the other.
        timeout: seconds for each.
        stop: ends the waiting for an answer.

    Raises:
        TerminalUnreachable: none does; each address's reason.
        Stopped: the caller asked to stop.
    """
    reasons: dict[str, str] = {}
    for url in urls:
        for name in DIALECTS if api == "auto" else (api,):
            with ThetaClient(url, api=name, timeout=timeout, stop=stop) as client:
                try:
                    client.check()
                except Stopped:
                    raise
                except ThetaError as error:
                    # Of an address that does not answer in v3, the reason for v2 is no better.
                    reasons.setdefault(url, str(error))
                else:
                    return url, name
    raise unreachable(reasons.values())


def unreachable(reasons: Iterable[str], more: str = "") -> TerminalUnreachable:
    """Returns the error that several addresses together are, with what to do said once.

    Args:
        reasons: why each address does not answer as a Terminal.
        more: what else there is to do, a sentence.
    """
    each = list(reasons)
    bare = [reason.removesuffix(f": {START}") for reason in each]
    start = f": {START}" if bare != each else ""
    return TerminalUnreachable(f"{'; '.join(bare)}{start}{more and f'. {more}'}")
