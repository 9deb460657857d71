"""Where `catalog.sql` is, what it is about, and when it is written."""

import shlex
from collections import Counter
from collections.abc import Sequence
from importlib.util import find_spec

import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from pipeline.folder.catalog_sql import Columns, catalog_text
from pipeline.messages import PRINTED, Messages
from pipeline.process.program import program
from pipeline.text import count
from transforms.output.folder import OutputFolder
from transforms.output.index import windows
from transforms.output.index_refresh import refreshed
from transforms.output.layout import COMPRESSIONS
from transforms.storage import documents, files
from transforms.text.extras import install

NAME = "catalog.sql"
_ADDRESS = ("s3_endpoint_url", "s3_region_name", "s3_verify", "s3_disable_ssl", "no_auth")
_FORM = ("greeks", "format", "compression")
_DERIVE = '"derive": ?"(?P<derive>[^"]*)"'


def write_catalog(
    output: str, messages: Messages = PRINTED, changed: Sequence[str] | None = None
) -> str | None:
    """Writes the catalog of an output folder into its `.meta`, whole or not at all.

    The manifest's index, which it reads, is brought up to date.

    Args:
        output: the folder of the data files.
        messages: where those about files that are left out go.
        changed: the names of the files that can have changed since the index was proven; None if
            it was not.

    Returns:
        The catalog's path, or None if there is no file to query.

    Raises:
        OSError: it can't be written, or the manifest can't be read.
    """
    folder = OutputFolder(output)
    orders = _orders(folder, messages, changed)
    if not orders:
        return None
    path = catalog_path(folder)
    index = folder.index.removeprefix(folder.target)
    target = OutputFolder(folder.target).absolute().path
    text = catalog_text(target, path, index, orders)
    documents.write_bytes(path, text.encode(), "application/sql", folder.meta)
    return path


def catalog_path(folder: OutputFolder) -> str:
    """Returns the path of a folder's catalog."""
    return f"{folder.meta}/{NAME}"


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
            words += _address(output)
            messages.note(f"queries: {shlex.join(words)}")
            if find_spec("duckdb") is None:
                messages.note(f"needs:   {install('notebook')}")


def _address(output: str) -> list[str]:
    """Returns the flags by which a store was reached, without its credentials."""
    if files.is_local(output):
        return []
    # Where Beam keeps them; there is no public way.
    options = FileSystems._pipeline_options
    given = options.get_all_options(drop_default=True) if options else {}
    words = ((f"--{name}", value) for name, value in given.items() if name in _ADDRESS)
    return [word for flag, value in words for word in ([flag] if value is True else [flag, value])]


def _orders(
    folder: OutputFolder, messages: Messages, changed: Sequence[str] | None
) -> dict[Columns, set[str]]:
    """Brings the index up to date; the suffixes of the files there by their columns."""
    orders: dict[Columns, set[str]] = {}
    foreign: Counter[str] = Counter()
    found = windows(folder, keep=True) if changed is None else refreshed(folder, changed)
    for window in found:
        for _, error in window.broken:
            messages.warn(f"note: its file is not in {NAME}: {error}")
        there = window.rows.filter(window.rows["there"])
        derive = pc.struct_field(pc.extract_regex(there["request"], _DERIVE), "derive")
        columns = (derive, *(there[each] for each in _FORM))
        forms = Counter(zip(*(each.to_pylist() for each in columns), strict=True))
        for (derived, greeks, file_format, compression), number in forms.items():
            if file_format in COMPRESSIONS:
                suffixes = orders.setdefault(Columns(greeks, derived or ""), set())
                suffixes.add(COMPRESSIONS[file_format][compression])
            else:
                foreign[file_format] += number
    for file_format, number in foreign.items():
        messages.warn(f"note: not in {NAME}: {count(number, 'file')} of the format {file_format}")
    return orders
