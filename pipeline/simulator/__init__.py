"""The stand-in Theta Terminal: a simulated market behind the v3 or v2 protocol, on loopback."""

from pipeline.simulator.command import add_arguments, serve

__all__ = ["add_arguments", "serve"]
