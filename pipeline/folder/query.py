"""SQL over an output folder, by DuckDB and the views of its catalog. Nothing is changed by it."""

import contextlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.folder.catalog import catalog_path, write_catalog
from pipeline.folder.catalog_sql import pattern_of
from transforms.output.folder import OutputFolder, part_of
from transforms.storage import files, stores
from transforms.text.extras import install

if TYPE_CHECKING:
    import duckdb

    from pipeline.folder.store_files import StoreFiles

_ZONE = "America/New_York"


class QueryError(Exception):
    """A query can't be answered; the message is for the user."""


class Catalog:
    """The views of an output folder, in a DuckDB of this process's memory.

    Args:
        output: the folder of the data files.

    Raises:
        QueryError: DuckDB is not installed, or there is nothing to query.
        ValueError: no file system has the folder.
        OSError: the catalog can't be read, or not written where there is none yet.
    """

    def __init__(self, output: str) -> None:
        try:
            import duckdb
        except ImportError:
            raise QueryError(f"DuckDB is not installed: {install('notebook')}") from None
        files.check_place(output)
        folder = OutputFolder(output).absolute()
        path = catalog_path(folder)
        if not files.exists(path) and write_catalog(output) is None:
            raise QueryError(part_of(folder) or f"there are no files in {output} to query")
        self._duckdb = duckdb
        self._connection = duckdb.connect()
        if not files.is_local(output):
            self._connection.register_filesystem(_store_files(output))
        self._connection.execute(f"SET TimeZone = '{_ZONE}'")
        # The folder may have been moved since.
        self._connection.execute("SET VARIABLE greeks_folder = ?", [pattern_of(folder.target)])
        with files.open_file(path) as catalog:
            self._connection.execute(catalog.read().decode())

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
            return Answer(self._connection.sql(sql), self._duckdb.Error, self._connection.interrupt)
        except self._duckdb.Error as error:
            raise QueryError(str(error)) from None


class Answer:
    """The rows of a query, computed as they are taken.

    Attributes:
        columns: their names.
    """

    def __init__(
        self,
        relation: "duckdb.DuckDBPyRelation",
        error: type[Exception],
        interrupt: Callable[[], None],
    ) -> None:
        self._relation = relation
        self._interrupt = interrupt
        self._error = error
        self.columns: list[str] = list(relation.columns)

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yields the rows; instants are in New York's time.

        Raises:
            QueryError: DuckDB finds an error in the data, or has no memory left.
        """
        with self._calls() as call:
            batches = call(lambda: iter(pa.RecordBatchReader.from_stream(self._relation)))
            while (batch := call(next, batches, None)) is not None:
                yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    def table(self, width: int, rows: int) -> Iterator[str]:
        """Yields the lines of a table of at most so many columns of text and, with a count, rows.

        Raises:
            QueryError: as `rows`.
        """
        shown = io.StringIO()
        with self._calls() as call, contextlib.redirect_stdout(shown):
            call(partial(self._relation.show, max_width=width, max_rows=rows))
        lines = shown.getvalue().rstrip().splitlines()
        # DuckDB's own tables need 80.
        edges = [place for place, each in enumerate(lines[0]) if each in "┬┐"]
        whole = [place for place in edges if place <= width - 3]
        if edges[-1] < width:
            yield from lines
        elif not whole:
            yield from (line if len(line) < width else f"{line[: width - 2]}…" for line in lines)
        else:
            end = whole[-1] + 1
            for line in lines:
                if line[0] in "┌│├└":
                    yield f"{line[:end]} …"
                elif "columns" not in (of_rows := line.strip().split("   ")[0]):
                    yield f"  {of_rows}"
            number = len(whole) - ("│ … │" in lines[1][:end])
            yield f"  {len(self.columns)} columns ({number} shown)"

    @contextlib.contextmanager
    def _calls(self) -> Iterator[Callable[..., Any]]:
        """Gives what calls DuckDB in a thread: Ctrl-C comes to the main one, which waits."""
        with ThreadPoolExecutor(1) as thread:
            try:
                yield lambda what, *arguments: thread.submit(what, *arguments).result()
            except KeyboardInterrupt:
                self._interrupt()
                raise
            except (self._error, pa.ArrowException) as error:
                raise QueryError(str(error)) from None


def _store_files(output: str) -> "StoreFiles":
    if stores.of(output) is None:
        raise QueryError(f"{output}: queries read folders of this machine, s3:// and gs://")
    try:
        from pipeline.folder.store_files import StoreFiles
    except ImportError:
        raise QueryError(f"fsspec is not installed: {install('notebook')}") from None
    return StoreFiles()
