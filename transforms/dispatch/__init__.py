"""Which slot of which Terminal fetches what.

`deal` gives each slot its requests before the run; a `SlotQueue` gives them to the threads of one
process as they become free; `DealAgain` gives what a failed Terminal leaves to the others;
`DealRequests` deals those of another PCollection.
"""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.dispatch.deal_again import DealAgain as DealAgain
    from transforms.dispatch.deal_requests import DealRequests as DealRequests
    from transforms.dispatch.queue import SlotQueue as SlotQueue
    from transforms.dispatch.queue import shared_queue as shared_queue
    from transforms.dispatch.terminals import SlotWork as SlotWork
    from transforms.dispatch.terminals import Terminal as Terminal
    from transforms.dispatch.terminals import deal as deal
    from transforms.dispatch.terminals import slots_of as slots_of

# The transforms import Beam.
__getattr__ = face(
    __name__,
    deal_again=["DealAgain"],
    deal_requests=["DealRequests"],
    queue=["SlotQueue", "shared_queue"],
    terminals=["SlotWork", "Terminal", "deal", "slots_of"],
)
