"""What a download would do: its source, its requests, the files that exist, its size."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.planning.decisions import Decision as Decision
    from pipeline.planning.decisions import decide as decide
    from pipeline.planning.estimate import Estimate as Estimate
    from pipeline.planning.inventory import Inventory as Inventory
    from pipeline.planning.inventory import take_stock as take_stock
    from pipeline.planning.plan import Plan as Plan
    from pipeline.planning.plan import make_plan as make_plan
    from pipeline.planning.preview import Preview as Preview
    from pipeline.planning.source import Source as Source
    from pipeline.planning.source import open_source as open_source

# The inventory imports Beam.
__getattr__ = face(
    __name__,
    decisions=["Decision", "decide"],
    estimate=["Estimate"],
    inventory=["Inventory", "take_stock"],
    plan=["Plan", "make_plan"],
    preview=["Preview"],
    source=["Source", "open_source"],
)
