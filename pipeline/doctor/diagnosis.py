"""One line of the doctor's."""

from dataclasses import dataclass

from transforms.text.foreign import on_a_line

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        level: `ok`, `warn` (a download works, but not as well as it could) or `fail`.
        about: what was looked at.
        words: what was found.
        way_out: what to do, for a person; empty if it is ok.
    """

    level: str
    about: str
    words: str
    way_out: str = ""

    def line(self) -> str:
        """Returns the diagnosis as text."""
        line = on_a_line(f"{self.level:<5}{self.about}: {self.words}", None)
        return f"{line}\n     → {on_a_line(self.way_out, None)}" if self.way_out else line
