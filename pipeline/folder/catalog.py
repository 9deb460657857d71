"""Where `catalog.sql` is, what it is about, and when it is written."""

import shlex
import uuid
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pyarrow.compute as pc

from pipeline.folder.catalog_sql import Columns, catalog_text
from pipeline.messages import PRINTED, Messages
from pipeline.process.program import program
from transforms.output.folder import OutputFolder
from transforms.output.index import windows
from transforms.output.index_refresh import refreshed
from transforms.output.layout import COMPRESSIONS
from transforms.storage import files

NAME = "catalog.sql"
EXTRA = "theta-greeks-pipeline[notebook]"
_FORM = ("greeks", "format", "compression")
_DERIVE = '"derive": ?"(?P<derive>[^"]*)"'


def write_catalog(
    output: str, messages: Messages = PRINTED, changed: Sequence[str] | None = None
) -> Path | None:
    """Writes the catalog of an output folder into its `.meta`, whole or not at all.

    The manifest's index, which it reads, is brought up to date.

    Args:
        output: the folder of the data files.
        messages: where those about files that are left out go.
        changed: the names of the files that can have changed since the index was proven; None if
            it was not.

    Returns:
        The catalog's path, or None if there is no file to query, or the folder is not on this
        machine.

    Raises:
        OSError: it can't be written, or the manifest can't be read.
    """
    output_folder = OutputFolder(output)
    orders = _orders(output_folder, messages, changed)
    if not orders or not files.is_local(output):
        return None
    folder, meta = Path(output_folder.target), Path(output_folder.meta)
    path = meta / NAME
    index = output_folder.index.removeprefix(output_folder.target)
    # Not beside it: a name ending in .sql would be taken for one.
    unfinished = meta / f"{uuid.uuid4().hex}.unfinished"
    try:
        unfinished.write_text(catalog_text(folder, path, index, orders), "utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def print_catalog(
    output: str, messages: Messages = PRINTED, changed: Sequence[str] | None = None
) -> None:
    """Writes the catalog of an output folder, and reports where it is, or why there is none.

    Takes what `write_catalog` takes. A run does not fail for it: the files are whole, and the next
    run writes it again.
    """
    try:
        path = write_catalog(output, messages, changed)
    except OSError as error:
        messages.warn(f"no {NAME} could be written: {error}")
    else:
        if path is not None:
            words = [*program(), "query", "SELECT * FROM files LIMIT 5", "--output", output]
            without = "" if find_spec("duckdb") else f"; needs DuckDB: pip install '{EXTRA}'"
            messages.note(f"queries: {shlex.join(words)}{without}")
        elif not files.is_local(output):
            messages.note(
                f"queries: DuckDB reads {output} by its extension httpfs; {NAME} is for folders of "
                "this machine"
            )


def _orders(
    folder: OutputFolder, messages: Messages, changed: Sequence[str] | None
) -> dict[Columns, set[str]]:
    """Brings the index up to date; the suffixes of the files there by their columns."""
    orders: dict[Columns, set[str]] = {}
    found = windows(folder, keep=True) if changed is None else refreshed(folder, changed)
    for window in found:
        for _, error in window.broken:
            messages.warn(f"note: its file is not in {NAME}: {error}")
        there = window.rows.filter(window.rows["there"])
        derive = pc.struct_field(pc.extract_regex(there["request"], _DERIVE), "derive")
        columns = (derive, *(there[each] for each in _FORM))
        forms = set(zip(*(each.to_pylist() for each in columns), strict=True))
        for derived, greeks, file_format, compression in forms:
            suffixes = orders.setdefault(Columns(greeks, derived or ""), set())
            suffixes.add(COMPRESSIONS[file_format][compression])
    return orders
