"""Textbook Beam: rows as dicts, `fileio.WriteToFiles`: `python -m bench.peers.beam_rows WORK`.

The runner is the one that Beam's DirectRunner falls back to, with a thread for each request.
"""

import csv
import io
import sys
from collections.abc import Iterator

import apache_beam as beam
import requests
from apache_beam.io import fileio
from apache_beam.options.pipeline_options import PipelineOptions

from bench.peers.asked import Asked, read_asked


@beam.typehints.with_output_types(dict[str, str])
class FetchRows(beam.DoFn):
    """Yields each row of an expiration as a dict."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def process(self, expiration: str) -> Iterator[dict[str, str]]:
        with requests.Session() as session:
            for url in self._asked.urls(expiration):
                with session.get(url, stream=True, timeout=300) as response:
                    response.raise_for_status()
                    yield from csv.DictReader(response.iter_lines(decode_unicode=True))


class CsvRows(fileio.FileSink):
    """Writes dicts as CSV."""

    def open(self, fh: io.BufferedWriter) -> None:
        self._text = io.TextIOWrapper(fh, "utf-8", newline="", write_through=True)
        self._writer: csv.DictWriter[str] | None = None

    def write(self, record: dict[str, str]) -> None:
        if self._writer is None:
            self._writer = csv.DictWriter(self._text, list(record))
            self._writer.writeheader()
        self._writer.writerow(record)

    def flush(self) -> None:
        self._text.flush()


def main() -> None:
    asked = read_asked(sys.argv[1])
    options = PipelineOptions(
        [
            *("--direct_running_mode", "multi_threading"),
            *("--direct_num_workers", str(asked.concurrency)),
        ]
    )
    with beam.Pipeline(runner="FnApiRunner", options=options) as pipeline:
        (
            pipeline
            | beam.Create(asked.expirations)
            | beam.ParDo(FetchRows(asked))
            | fileio.WriteToFiles(
                path=str(asked.output),
                destination=lambda row: row["expiration"],
                sink=lambda _: CsvRows(),
                file_naming=fileio.destination_prefix_naming(suffix=".csv"),
            )
        )


if __name__ == "__main__":
    main()
