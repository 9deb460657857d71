"""Finds the Terminal that answers, and the generation of its API."""

from transforms.thetadata.client import ThetaClient
from transforms.thetadata.errors import Stopped, TerminalUnreachable, ThetaError
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
        TerminalUnreachable: none does; the first address's reason.
        Stopped: the caller asked to stop.
    """
    reasons: list[TerminalUnreachable] = []
    for url in urls:
        for name in DIALECTS if api == "auto" else (api,):
            with ThetaClient(url, api=name, timeout=timeout, stop=stop) as client:
                try:
                    client.check()
                except TerminalUnreachable as error:
                    reasons.append(error)
                except Stopped:
                    raise
                except ThetaError as error:
                    reasons.append(TerminalUnreachable(str(error)))
                else:
                    return url, name
    raise reasons[0]
