"""The library: Beam transforms that download option Greeks, and what they are made of.

```python
work = requests | DealRequests(["http://127.0.0.1:25503"])
results = work | FetchGreeks() | WriteGreeks(sink_for("data/greeks")) | RecordResults()
```

Nothing here imports `pipeline`, and importing it imports neither Beam nor pyarrow.
"""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.dispatch.deal_requests import DealRequests as DealRequests
    from transforms.fetch import FetchGreeks as FetchGreeks
    from transforms.metrics.record import EmitRunSummary as EmitRunSummary
    from transforms.metrics.record import RecordResults as RecordResults
    from transforms.metrics.record import SummarizeRun as SummarizeRun
    from transforms.model import GreeksRequest as GreeksRequest
    from transforms.sinks.formats import sink_for as sink_for
    from transforms.write import WriteGreeks as WriteGreeks
else:
    __getattr__ = face(
        __name__,
        dispatch=["DealRequests"],
        fetch=["FetchGreeks"],
        metrics=["EmitRunSummary", "RecordResults", "SummarizeRun"],
        model=["GreeksRequest"],
        sinks=["sink_for"],
        write=["WriteGreeks"],
    )
