"""How many workers of this process convert rows at once: one for each processor.

Most workers wait for the Terminal, which answers as many requests at once as the subscription
allows. Where more of them have something to convert than there are processors, all are slower
together than in turns, and each takes 10 MiB more.
"""

import os
import threading


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


CONVERTING = threading.BoundedSemaphore(_processors())
"""To be held while rows are converted, and never while waiting for the network."""
