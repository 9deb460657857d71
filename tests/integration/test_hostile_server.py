"""One run against a server that does everything wrong at once, beside answers that are good."""

import gzip
import re
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.support.answers import rows_of
from tests.support.command import greeks, summaries
from tests.support.market import terminal
from tests.support.scripted import Answer, scripted_server
from transforms.model import GreeksRequest

DAY = date(2024, 3, 14)
ELSEWHERE = "http://203.0.113.9:25503/v3"


def good(request: GreeksRequest) -> bytes:
    return rows_of(request, DAY, 2000)


def answer_of(kind: str, request: GreeksRequest) -> Answer:
    body = good(request)
    header, _, rows = body.partition(b"\r\n")
    first, _, rest = rows.partition(b"\r\n")
    match kind:
        case "ends with its connection":
            return Answer(body, closes=True)
        case "no number in a cell":
            return Answer(body.replace(b"12.3456", b"NaN", 2).replace(b"12.3456", b"null", 1))
        case "300 columns":
            more = [b"%s%s" % (header, b"".join(b",more_%d" % n for n in range(283)))]
            lines = [line + b",1" * 283 for line in rows.split(b"\r\n") if line]
            return Answer(b"\r\n".join([*more, *lines, b""]))
        case "a redirect":
            return Answer(b"", status=302, headers={"Location": ELSEWHERE})
        case "a redirect without end":
            return Answer(b"", 302, headers={"Location": ELSEWHERE}, forever=b"x" * 65536)
        case "an error without end":
            return Answer(b"", 403, forever=b"x" * 65536)
        case "a line without end":
            return Answer(header + b"\r\n", forever=b"9" * 65536)
        case "empty lines without end":
            return Answer(body, forever=b"\n" * 65536)
        case "a gzip bomb":
            bomb = gzip.compress(b"\n" * 10**7) * 10
            return Answer(bomb, headers={"Content-Encoding": "gzip"})
        case "empty lines and a bad one":
            return Answer(header + b"\n" * 490_000 + b"oops\r\n")
        case "240,000 columns":
            return Answer(b",".join(b"%x" % n for n in range(240_000)) + b"\n")
        case "a long cell":
            return Answer(body.replace(b"12.3456", b"9" * 199_999 + b"x", 1))
        case "no text":
            return Answer(body.replace(b"SPXW", b"\xff\xfe\x00\x00", 1))
        case "NUL bytes":
            return Answer(body.replace(b"12.3456", b"\x00" * 7, 1))
        case "the year 1":
            early = first.rsplit(b",", 2)[0] + b",0001-01-01T00:00:00,5123.45"
            return Answer(b"\r\n".join([header, early, rest]))
        case "another expiration":
            return Answer(body.replace(b"SPXW,2024", b"SPXW,2025", 1))
        case "half a last line":
            return Answer(body[:-20])
        case "HTML":
            return Answer(b"<html><body>Bad Gateway</body></html>")
        case "only calls":
            return Answer(body.replace(b"PUT", b"CALL"))
        case "another interval":
            return Answer(body.replace(b":00,", b":30,"))
    return Answer(body)


WRITTEN = ("good", "ends with its connection", "no number in a cell", "300 columns", "good again")
FAILED = {
    "a redirect": f"302 REDIRECT .*'{ELSEWHERE}'",
    "a redirect without end": f"302 REDIRECT .*'{ELSEWHERE}'",
    "an error without end": "403 FORBIDDEN",
    "a line without end": "a line of more than",
    "empty lines without end": "only empty lines follow",
    "a gzip bomb": "compressed",
    "empty lines and a bad one": "line 490001 of the answer: .*oops",
    "240,000 columns": "a line of more than 262,144 bytes",
    "a long cell": "line 2 of the answer",
    "no text": "line 2 of the answer",
    "NUL bytes": "line 2 of the answer",
    "the year 1": "0001-01-01 .* where a time of 1990 to 2099",
    "another expiration": "2025-.* where 2024-",
    "half a last line": "ends in the middle of line 2001",
    "HTML": "HTML or XML where CSV",
    "only calls": "one_right>0 is exceeded",
    "another interval": "off_grid>0 is exceeded",
}
KINDS = [*WRITTEN[:4], *FAILED, WRITTEN[4]]
EXPIRATIONS = {DAY + timedelta(n): kind for n, kind in enumerate(KINDS)}


@pytest.mark.alone
def test_a_run_against_a_server_that_does_everything_wrong_writes_what_is_good_and_names_the_rest(
    tmp_path: Path,
) -> None:
    listed = {"SPXW": tuple(map(str, EXPIRATIONS))}
    calendar = Answer(
        b"\xef\xbb\xbfdate,type,open,close\r\n2024-03-14,late_open,,\r\n2024-03-29,full_close,,\r\n"
    )
    script = terminal(
        lambda request: answer_of(EXPIRATIONS[request.expiration], request),
        expirations=listed,
        holidays=calendar,
    )

    def answer(path: str, query: dict[str, str]) -> Answer:
        if path == "/v3/option/list/expirations" and query["symbol"] == "SPX":
            return Answer(b"symbol,expiration\nSPX,2024-03-15\nSPX,9999-12-31\n")
        if path == "/stats":
            return Answer(b"[" * 60_000)
        if path == "/v3/option/list/strikes":
            return Answer(b"symbol,strike\nSPXW,1e99999999\n")
        return script(path, query)

    with scripted_server(answer) as server:
        printed = greeks(
            tmp_path,
            *("download", "--symbol", "SPX,SPXW", "--start_date", "2024-03-14", "--max_dte", "60"),
            *("--interval", "1m", "--attempts", "2", "--format", "parquet"),
            *("--fail_on", "one_right,off_grid", "--terminal", server.url),
            code=1,
        )
    (summary,) = summaries(tmp_path)
    results = {
        date.fromisoformat(result["expiration"]): result for result in summary["expirations"]
    }
    found = {EXPIRATIONS[day]: result for day, result in results.items()}
    assert {kind for kind, result in found.items() if result["status"] == "written"} == {*WRITTEN}
    for kind, words in FAILED.items():
        assert found[kind]["status"] == "failed"
        message = found[kind]["error"]["message"]
        assert re.search(words, message), (kind, message)
        assert len(message) < 1500
    assert "late_open" in printed
    assert "failed: SPX: " in printed
    assert any("9999-12-31" in each["message"] for each in summary["errors"])
    files = sorted((tmp_path / "data" / "greeks").rglob("*.parquet"))
    assert len(files) == len(WRITTEN)
    assert [pq.read_metadata(path).num_rows for path in files] == [2000] * len(WRITTEN)
    assert summary["peak_memory_usage"] < 200
    # Whoever reads the files finds nulls, and they verify.
    path = found["no number in a cell"]["path"]
    assert pd.read_parquet(tmp_path / path)["lambda"].isna().sum() == 3
    assert pq.read_table(tmp_path / path)["lambda"].null_count == 3
    greeks(tmp_path, "verify")
    findings = {
        one["rule"]: one["count"] for one in found["no number in a cell"]["quality"]["findings"]
    }
    assert findings["missing_values"] == 3
