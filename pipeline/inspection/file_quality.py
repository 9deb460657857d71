"""What the rows of a file show one by one, for a file of which no download knows it."""

from collections.abc import Iterator
from datetime import date

from pipeline.inspection.reader import read_batches
from transforms.audit.assumptions import Assumptions
from transforms.audit.recomputation import interval_of
from transforms.audit.rows_apart import by_expiration
from transforms.model.row_groups import RowGroups
from transforms.quality.check import QualityCheck
from transforms.quality.findings import Quality


def quality_of(path: str, assumed: Assumptions) -> Iterator[Quality]:
    """Yields the quality of each expiration in a file, read batch by batch.

    Args:
        path: the file.
        assumed: how it was asked for, as far as it is known.

    Raises:
        UnreadableFile: the file can't be read.
    """
    found: dict[tuple[str, date], tuple[RowGroups, QualityCheck]] = {}
    for table in read_batches(path):
        for key, part in by_expiration(table):
            if key not in found:
                interval = interval_of(part, assumed.interval)
                dividend = assumed.annual_dividend or 0.0
                check = QualityCheck(interval, assumed.start_ms, assumed.end_ms, dividend)
                found[key] = (RowGroups(), check)
            groups, check = found[key]
            for batch in part.to_batches():
                for group in groups.add(batch):
                    check.add(group)
    for groups, check in found.values():
        for group in groups.rest():
            check.add(group)
        yield check.finish()
