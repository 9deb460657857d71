"""The stand-in Theta Terminal: a simulated market behind the v3 or v2 protocol, on loopback."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.simulator.command import serve as serve
    from pipeline.simulator.embedded import embedded_terminal as embedded_terminal
    from pipeline.simulator.flags import add_arguments as add_arguments
    from pipeline.simulator.server import TerminalServer as TerminalServer

# The market takes long to import, and a download needs none of it.
__getattr__ = face(
    __name__,
    command=["serve"],
    embedded=["embedded_terminal"],
    flags=["add_arguments"],
    server=["TerminalServer"],
)
