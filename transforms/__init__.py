"""The library: Beam transforms that download option Greeks, and what they are made of.

```python
results = requests | FetchGreeks(stop) | WriteGreeks(sink) | RecordResults()
```

Nothing here imports `pipeline`, and importing it imports neither Beam nor pyarrow.
"""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from transforms.fetch import FetchGreeks as FetchGreeks
    from transforms.metrics.record import EmitRunSummary as EmitRunSummary
    from transforms.metrics.record import RecordResults as RecordResults
    from transforms.metrics.record import SummarizeRun as SummarizeRun
    from transforms.model import GreeksRequest as GreeksRequest
    from transforms.write import WriteGreeks as WriteGreeks
else:
    __getattr__ = face(
        __name__,
        {
            "EmitRunSummary": "metrics",
            "FetchGreeks": "fetch",
            "GreeksRequest": "model",
            "RecordResults": "metrics",
            "SummarizeRun": "metrics",
            "WriteGreeks": "write",
        },
    )
