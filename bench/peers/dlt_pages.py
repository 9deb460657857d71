"""dlt with Arrow pages, one table and file an expiration: `python -m bench.peers.dlt_pages WORK`.

One resource an expiration; its pages are record batches, which dlt writes to Parquet as they are.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from bench.peers.asked import Asked, read_asked


def main() -> None:
    asked = read_asked(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "DLT_PROJECT_DIR": folder,
            "DLT_DATA_DIR": folder,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "EXTRACT__WORKERS": str(asked.concurrency),
            "EXTRACT__MAX_PARALLEL_ITEMS": str(asked.concurrency),
        }
        import dlt

        @dlt.source(name="greeks", max_table_nesting=0)
        def greeks() -> Any:
            for expiration in asked.expirations:
                yield dlt.resource(
                    pages, name=f"expiration_{expiration.replace('-', '')}", parallelized=True
                )(asked, expiration)

        pipeline = dlt.pipeline(
            "greeks",
            pipelines_dir=folder,
            destination=dlt.destinations.filesystem(f"file://{asked.output.absolute()}"),
            dataset_name="greeks",
        )
        pipeline.run(greeks(), loader_file_format="parquet").raise_on_failed_jobs()


def pages(asked: Asked, expiration: str) -> Iterator[Any]:
    """Yields the rows of an expiration as Arrow tables."""
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import requests

    from bench.peers.columns import TYPES

    convert = pacsv.ConvertOptions(column_types=TYPES["v3"])
    read = pacsv.ReadOptions(block_size=1 << 20)
    with requests.Session() as session:
        for url in asked.urls(expiration):
            with session.get(url, stream=True, timeout=300) as response:
                response.raise_for_status()
                with pacsv.open_csv(response.raw, read, convert_options=convert) as batches:
                    for batch in batches:
                        yield pa.Table.from_batches([batch])


if __name__ == "__main__":
    main()
