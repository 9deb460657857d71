"""The run history: the records of all runs, at the place that `--metrics` names.

```python
store = open_store("sqlite:///runs.db")
for head in store.heads(Query(symbol="SPXW", limit=20)):
    print(head["run_id"], head["rows"])
```
"""

from typing import TYPE_CHECKING

from pipeline.addresses import is_missing_file
from pipeline.addresses import is_sql as is_sql
from pipeline.history.model import DIED as DIED
from pipeline.history.model import FAILED as FAILED
from pipeline.history.model import INTERRUPTED as INTERRUPTED
from pipeline.history.model import RUNNING as RUNNING
from pipeline.history.model import STATUSES as STATUSES
from pipeline.history.model import SUCCEEDED as SUCCEEDED
from pipeline.history.model import Head as Head
from pipeline.history.model import NoSuchRun as NoSuchRun
from pipeline.history.model import Query as Query
from pipeline.history.model import Record as Record
from pipeline.history.model import RunHistory as RunHistory
from pipeline.history.model import RunStore as RunStore
from pipeline.history.model import StoreError as StoreError
from pipeline.history.model import find_run as find_run
from pipeline.history.model import recent as recent
from transforms.lazy import face

if TYPE_CHECKING:
    from pipeline.history.sizes import Sizes as Sizes
    from pipeline.history.sizes import Workload as Workload

# It imports pyarrow, which a list of runs does not wait for.
__getattr__ = face(__name__, sizes=["Sizes", "Workload"])


def open_store(metrics: str, *, apart: bool = False) -> RunStore:
    """Returns the run history that `--metrics` names.

    Args:
        metrics: a folder of this machine or of any file system that Beam knows, `sqlite:///PATH`,
            or `postgresql://[USER[:PASSWORD]@]HOST[:PORT]/DATABASE`.
        apart: a database's libraries are loaded by a child, and not by this process.

    Raises:
        StoreError: it can't be used; the message has no password in it.
    """
    if is_sql(metrics) and apart:
        from pipeline.history.apart import ApartStore

        return ApartStore(metrics)
    if is_sql(metrics):
        from pipeline.history.sql import SqlStore

        return SqlStore(metrics)
    if "://" in metrics:
        from transforms.storage.files import check_place

        try:
            check_place(metrics)
        except ValueError as error:
            raise StoreError(f"{error}, or sqlite:///PATH or postgresql://HOST/DATABASE") from None
        except OSError as error:
            raise StoreError(str(error)) from None
    from pipeline.history.json_folder import JsonStore

    return JsonStore(metrics)


def open_to_read(metrics: str) -> RunHistory:
    """Returns the run history that `--metrics` names, which it leaves as it is.

    A file of SQLite's that is not there is not made: then there are no runs.

    Raises:
        StoreError: it can't be used; the message has no password in it.
    """
    if is_missing_file(metrics):
        from pipeline.history.nothing import NoRuns

        return NoRuns(metrics)
    return open_store(metrics)
