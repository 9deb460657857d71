"""SQL over an output folder, by DuckDB and the views of its catalog. Nothing is changed by it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.folder.catalog import EXTRA, NAME, write_catalog
from transforms.output.folder import OutputFolder
from transforms.storage import files

if TYPE_CHECKING:
    import duckdb

_ZONE = "America/New_York"


class QueryError(Exception):
    """A query can't be answered; the message is for the user."""


class Catalog:
    """The views of an output folder, in a DuckDB of this process's memory.

    Args:
        output: the folder of the data files.

    Raises:
        QueryError: DuckDB is not installed, or there is nothing to query.
        OSError: the catalog can't be read, or not written where there is none yet.
    """

    def __init__(self, output: str) -> None:
        try:
            import duckdb
        except ImportError:
            raise QueryError(f"DuckDB is not installed: pip install '{EXTRA}'") from None
        if not files.is_local(output):
            raise QueryError(
                f"{output} is not on this machine: copy it here first, or query it in DuckDB with "
                "its extension httpfs"
            )
        folder = OutputFolder(output)
        path = Path(folder.meta) / NAME
        if not path.is_file() and write_catalog(output) is None:
            raise QueryError(f"there are no files in {output} to query")
        self._duckdb = duckdb
        self._connection = duckdb.connect()
        self._connection.execute(f"SET TimeZone = '{_ZONE}'")
        # The folder may have been moved since.
        place = str(Path(folder.target).absolute())
        self._connection.execute("SET VARIABLE greeks_folder = ?", [_pattern(place)])
        self._connection.execute(path.read_text("utf-8"))

    def ask(self, sql: str) -> "Answer":
        """Returns the answer to a query.

        Raises:
            QueryError: it is not one statement that only reads, or DuckDB refuses it.
        """
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1:
                raise QueryError(f"{len(statements)} statements were given, not one")
            kind = statements[0].type.name
            if kind != "SELECT":
                raise QueryError(f"{kind} is no query, which only reads, as SELECT does")
            return Answer(self._connection.sql(sql), self._duckdb.Error)
        except self._duckdb.Error as error:
            raise QueryError(str(error)) from None


class Answer:
    """The rows of a query, computed as they are taken.

    Attributes:
        columns: their names.
    """

    def __init__(self, relation: "duckdb.DuckDBPyRelation", error: type[Exception]) -> None:
        self._relation = relation
        self._error = error
        self.columns: list[str] = list(relation.columns)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yields the rows; instants are in New York's time.

        Raises:
            QueryError: DuckDB finds an error in the data, or has no memory left.
        """
        try:
            for batch in pa.RecordBatchReader.from_stream(self._relation):
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
        except (self._error, pa.ArrowException) as error:
            raise QueryError(str(error)) from None

    def show(self, width: int, rows: int) -> None:
        """Prints a table of at most so many columns of text and, with a count, rows.

        Raises:
            QueryError: as `rows`.
        """
        try:
            self._relation.show(max_width=width, max_rows=rows)
        except self._error as error:
            raise QueryError(str(error)) from None


def _pattern(folder: str) -> str:
    # DuckDB takes a bracket, a star and a question mark in a path for a pattern.
    return "".join(f"[{c}]" if c in "[*?" else c for c in folder)
