"""The script that a good engineer writes: `python -m bench.peers.thread_pool WORK FORMAT`.

requests and a thread pool; CSV is copied through as it comes, Parquet is made by pyarrow, typed, as
the answer arrives, of v2 with its whole numbers as they are. One file an expiration, in the order
of the trade dates. Nothing is retried, checked, hashed, synced, counted or renamed.
"""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

from bench.peers.asked import Asked, read_asked


def _pages(session: requests.Session, url: str | None) -> Iterator[requests.Response]:
    """Yields the pages of an answer, of which v3 has one."""
    while url:
        with session.get(url, stream=True, timeout=300) as response:
            response.raise_for_status()
            yield response
            url = response.headers.get("Next-Page")


def copy_csv(asked: Asked, expiration: str) -> None:
    """Copies the answers for an expiration into one CSV file, with one header."""
    with requests.Session() as session, (asked.output / f"{expiration}.csv").open("wb") as file:
        for n, url in enumerate(asked.urls(expiration)):
            for page, response in enumerate(_pages(session, url)):
                if n and not page:
                    response.raw.readline()
                shutil.copyfileobj(response.raw, file, 1 << 20)


def make_parquet(asked: Asked, expiration: str) -> None:
    """Parses the answers for an expiration into one Parquet file."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    from bench.peers.columns import TYPES

    convert = pacsv.ConvertOptions(column_types=TYPES[asked.api])
    writer = None
    with requests.Session() as session:
        for url in asked.urls(expiration):
            read = pacsv.ReadOptions(block_size=1 << 20)
            for response in _pages(session, url):
                with pacsv.open_csv(response.raw, read, convert_options=convert) as batches:
                    if writer is None:
                        path = asked.output / f"{expiration}.parquet"
                        writer = pq.ParquetWriter(path, batches.schema, compression="zstd")
                    for batch in batches:
                        writer.write_batch(batch)
                # The first page alone has a header.
                read.column_names = batches.schema.names
    if writer is not None:
        writer.close()


def main() -> None:
    asked = read_asked(sys.argv[1])
    job = copy_csv if sys.argv[2] == "csv" else make_parquet
    with ThreadPoolExecutor(asked.concurrency) as pool:
        for future in [pool.submit(job, asked, name) for name in asked.expirations]:
            future.result()


if __name__ == "__main__":
    main()
