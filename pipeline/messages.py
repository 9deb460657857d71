"""Where a run's messages go: to standard output and error, or to the log of a program."""

import logging
import sys

from transforms.text.foreign import on_a_line


class Messages:
    """Prints messages as a command does: a line each, whatever they repeat of others."""

    def note(self, text: str) -> None:
        """Takes what is good to know."""
        print(on_a_line(text, None))

    def warn(self, text: str) -> None:
        """Takes what somebody should look at."""
        print(on_a_line(text, None), file=sys.stderr)


class Logged(Messages):
    """Hands messages to the logger `pipeline`, which shows nothing until the program sets it up."""

    def __init__(self) -> None:
        self._log = logging.getLogger("pipeline")
        if not self._log.handlers:
            # Else Python itself would print the warnings.
            self._log.addHandler(logging.NullHandler())

    def note(self, text: str) -> None:
        """Logs it as information."""
        self._log.info("%s", text)

    def warn(self, text: str) -> None:
        """Logs it as a warning."""
        self._log.warning("%s", text)


PRINTED = Messages()
