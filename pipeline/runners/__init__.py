"""Beam's runners: which one runs the graph, and how it is started, watched and ended."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.runners.choose import has_processes as has_processes
    from pipeline.runners.choose import is_dry as is_dry
    from pipeline.runners.choose import is_local as is_local
    from pipeline.runners.choose import name_of as name_of
    from pipeline.runners.choose import prepare as prepare

# They import Beam.
__getattr__ = face(__name__, choose=["has_processes", "is_dry", "is_local", "name_of", "prepare"])
