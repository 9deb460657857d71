"""How workers stop, take turns and are identified."""

from transforms.workers.process import ProcessId
from transforms.workers.stop import NEVER, Stop, StopSignal
from transforms.workers.turns import CONVERTING

__all__ = ["CONVERTING", "NEVER", "ProcessId", "Stop", "StopSignal"]
