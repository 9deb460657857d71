"""Where `catalog.sql` is, what it is about, and when it is written."""

import json
import shlex
import sys
import uuid
from pathlib import Path

from pipeline.folder.catalog_sql import CSV, PARQUET, catalog_text
from transforms.schema import ORDERS
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
    folder = Path(output)
    meta = folder.with_name(f"{folder.name}.meta")
    orders = _orders(folder, meta / "files")
    if not orders:
        return None
    path = meta / NAME
    # Not beside it: a name ending in .sql would be taken for one.
    unfinished = meta / f"{uuid.uuid4().hex}.unfinished"
    try:
        unfinished.write_text(catalog_text(folder, path, orders), "utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


def tell_catalog(output: str) -> None:
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


def _orders(folder: Path, manifest: Path) -> dict[str, dict[str, list[str]]]:
    """The files that are there, as the manifest knows them, by order of Greeks and suffix."""
    orders: dict[str, dict[str, list[str]]] = {}
    for entry in sorted(manifest.rglob("*.json")):
        name = entry.relative_to(manifest).as_posix().removesuffix(".json")
        suffix = next((suffix for suffix in (*CSV, PARQUET) if name.endswith(suffix)), None)
        try:
            order = json.loads(entry.read_text("utf-8"))["request"]["greeks"]
        except (ValueError, KeyError, TypeError):
            continue  # no entry: the next download says so
        if suffix and order in ORDERS and (folder / name).is_file():
            orders.setdefault(order, {}).setdefault(suffix, []).append(name)
    return orders
