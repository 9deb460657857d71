"""What a download would do: its source, its requests, what is there already, and how much it is."""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.planning.inventory import take_stock as take_stock
    from pipeline.planning.plan import make_plan as make_plan
    from pipeline.planning.source import Source as Source
    from pipeline.planning.source import open_source as open_source

# The inventory imports Beam.
__getattr__ = face(
    __name__,
    {
        "Source": "source",
        "make_plan": "plan",
        "open_source": "source",
        "take_stock": "inventory",
    },
)
