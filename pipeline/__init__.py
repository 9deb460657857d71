"""The application floor: a download from Python or the command line, on the graph of `transforms`.

```python
from pipeline import stream

for result in stream(symbols="SPXW", start_date="2024-03-14", terminal="embedded"):
    print(result.path, result.rows)
```

Importing it imports neither Beam nor pyarrow.
"""

from typing import TYPE_CHECKING

from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.config.download_config import DownloadConfig as DownloadConfig
    from pipeline.run.stream import download as download
    from pipeline.run.stream import stream as stream
else:
    _homes = {"config.download_config": ["DownloadConfig"], "run.stream": ["download", "stream"]}
    __getattr__ = face(__name__, **_homes)
