import io
import json
import socket

from pipeline.progress import ResultTable, size_text
from tests.support.data import request_for
from transforms.model import WRITTEN, ExpirationResult

RESULT = ExpirationResult(
    request_for("2024-03-14"), WRITTEN, 12345, 1_500_000, 1.5, 1, path="a.csv"
)


def test_a_result_is_a_line_as_soon_as_it_is_sent_and_only_once() -> None:
    out = io.StringIO()
    with ResultTable(out) as table, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        assert table.address is not None
        for message in (b"noise", b"{}", json.dumps(RESULT.describe()).encode()):
            sender.sendto(message, table.address)
    table.show(RESULT.describe())
    heading, line = out.getvalue().splitlines()
    assert heading.split() == ["symbol", "expiration", "status", "rows", "size", "time", "file"]
    assert line.split() == [
        "SPXW", "2024-03-14", "written", "12,345", "1.5", "MB", "1.50", "s", "a.csv",
    ]  # fmt: skip


def test_sizes_are_told_in_powers_of_1000() -> None:
    told = [size_text(size) for size in (0, 999, 1000, 2_500_000, 3e9, 4e12, 5e15)]
    assert told == ["0 B", "999 B", "1.0 kB", "2.5 MB", "3.0 GB", "4.0 TB", "5000.0 TB"]
