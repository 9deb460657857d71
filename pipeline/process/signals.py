"""SIGINT, SIGTERM and SIGHUP: the first one asks the run to stop, the second ends the process.

They are heeded in a thread of their own. Python runs a signal's handler in the main thread alone,
which is in the runner's hands, and which the kernel need not choose to wake.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ONE_WISH_SECONDS = 1.0


class Interruption:
    """The signal that a run was sent, if any.

    Attributes:
        signal: its number, or None.
        stop: called at the first signal, from the thread that heeds them.
        say: called with a sentence then; it must not wait for who reads it.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.stop: Callable[[], None] = lambda: None
        self.say: Callable[[str], None] = say_at_once

    def __bool__(self) -> bool:
        return self.signal is not None

    @property
    def exit_code(self) -> int:
        """The exit code of a process that ends because of the signal."""
        return 128 + (self.signal or signal.SIGINT)

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Heeds the signals for as long as the block lasts. For the main thread to enter."""
        ours, kernels = socket.socketpair()
        kernels.setblocking(False)
        thread = threading.Thread(target=self._heed, args=(ours,), name="signals", daemon=True)
        thread.start()
        wakeup = signal.set_wakeup_fd(kernels.fileno(), warn_on_full_buffer=False)
        heeded = [number for number in SIGNALS if not _is_from_nohup(number)]
        before = {number: signal.signal(number, lambda *_: None) for number in heeded}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(wakeup)
            kernels.close()
            thread.join()
            ours.close()

    def _heed(self, numbers: socket.socket) -> None:
        since = 0.0
        while received := numbers.recv(1):
            number = received[0]
            if number not in SIGNALS:
                continue
            # `timeout` sends its signal to the process, and to the group that it is in as well.
            if number == self.signal and time.monotonic() - since < _ONE_WISH_SECONDS:
                continue
            if self.signal is not None:
                # The next run marks this one died, and removes its unfinished files.
                os._exit(128 + number)
            self.signal, since = number, time.monotonic()
            self.say("stopping; again to stop at once")
            self.stop()


def say_at_once(text: str) -> None:
    """Writes a line to standard error, past all of Python's own buffers and locks."""
    # Nobody may be reading.
    with contextlib.suppress(OSError):
        os.write(2, f"{text}\n".encode())


def _is_from_nohup(number: signal.Signals) -> bool:
    # A shell starts what runs in the background with SIGINT ignored, which is no wish of anybody's.
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
