"""Where `catalog.sql` is, what it is about, and when it is written."""

import shlex
import sys
import uuid
from pathlib import Path

from pipeline.folder.catalog_sql import CSV, PARQUET, catalog_text
from transforms.output.folder import OutputFolder
from transforms.output.manifest import Manifest
from transforms.storage import files

NAME = "catalog.sql"


def write_catalog(output: str) -> Path | None:
    """Writes the catalog of an output folder into its `.meta`, whole or not at all.

    Args:
        output: the folder of the data files, on this machine.

    Returns:
        The catalog's path, or None if there is no file to query.

    Raises:
        OSError: it can't be written, or the manifest can't be read.
    """
    output_folder = OutputFolder(output)
    folder, meta = Path(output_folder.target), Path(output_folder.meta)
    orders = _orders(output_folder)
    if not orders:
        return None
    path = meta / NAME
    entries = output_folder.entries.removeprefix(output_folder.target)
    # Not beside it: a name ending in .sql would be taken for one.
    unfinished = meta / f"{uuid.uuid4().hex}.unfinished"
    try:
        unfinished.write_text(catalog_text(folder, path, entries, orders), "utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def print_catalog(output: str) -> None:
    """Writes the catalog of an output folder, and prints where it is, or why there is none.

    A run does not fail for it: the files are whole, and the next run writes it again.
    """
    if not files.is_local(output):
        print(
            f"queries: DuckDB reads {output} by its extension httpfs; {NAME} is for folders of "
            "this machine"
        )
        return
    try:
        path = write_catalog(output)
    except OSError as error:
        print(f"no {NAME} could be written: {error}", file=sys.stderr)
    else:
        if path is not None:
            print(f"queries: {shlex.join(('duckdb', '-init', str(path)))}")


def _orders(folder: OutputFolder) -> dict[str, dict[str, list[str]]]:
    """The files that are there, as the manifest knows them, by order of Greeks and suffix."""
    orders: dict[str, dict[str, list[str]]] = {}
    for name, entry in Manifest(folder).entries():
        suffix = next((suffix for suffix in (*CSV, PARQUET) if name.endswith(suffix)), None)
        if isinstance(entry, ValueError):
            print(f"note: its file is not in {NAME}: {entry}", file=sys.stderr)
            continue
        order = entry.request["greeks"]
        if suffix and Path(folder.file(name)).is_file():
            orders.setdefault(order, {}).setdefault(suffix, []).append(name)
    return orders
