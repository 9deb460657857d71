"""Which slot of which Terminal fetches what.

`deal` gives each slot its requests before the run; a `SlotQueue` gives them to the threads of one
process as they become free; `DealAgain` gives what a failed Terminal leaves to the others.
"""

from typing import TYPE_CHECKING, Any

from transforms.dispatch.queue import SlotQueue, shared_queue
from transforms.dispatch.terminals import SlotWork, Terminal, deal

if TYPE_CHECKING:
    from transforms.dispatch.deal_again import DealAgain

__all__ = ["DealAgain", "SlotQueue", "SlotWork", "Terminal", "deal", "shared_queue"]


def __getattr__(name: str) -> Any:
    # It imports Beam, which takes half a second.
    if name == "DealAgain":
        from transforms.dispatch import deal_again

        return deal_again.DealAgain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
