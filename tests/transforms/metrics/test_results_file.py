import json
import os
from pathlib import Path

import pytest

import tests.support.other_filesystem  # noqa: F401 -- Beam finds it once it is imported
from transforms.metrics.results_file import ResultsFile, gather, read_results


def test_a_result_can_be_read_as_soon_as_it_is_added(tmp_path: Path) -> None:
    file = ResultsFile(str(tmp_path / "new" / "results"))
    assert file.close() is None
    for n in range(3):
        assert file.append(json.dumps({"n": n}))
        (path,) = (tmp_path / "new" / "results").iterdir()
        assert list(read_results([str(path)])) == [{"n": each} for each in range(n + 1)]
    assert file.close() == str(path)


def test_results_of_a_store_are_there_when_the_bundle_ends(tmp_path: Path) -> None:
    file = ResultsFile(f"other:/{tmp_path}/results")
    assert file.append('{"n": 1}')
    assert not (tmp_path / "results").exists()
    path = file.close()
    assert path is not None
    assert list(read_results([path])) == [{"n": 1}]


def test_what_can_not_be_written_is_not_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("in its place")
    file = ResultsFile(str(tmp_path / "results"))
    assert not file.append('{"n": 1}')
    assert file.close() is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")  # noqa: PTH110 -- a device
def test_a_full_disk_keeps_no_result(tmp_path: Path) -> None:
    file = ResultsFile(str(tmp_path))
    assert file.append('{"n": 1}')
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.unlink()
    path.symlink_to("/dev/full")
    assert not file.append('{"n": 2}')
    path.unlink()
    path.write_bytes(content)
    assert file.append('{"n": 3}')
    assert list(read_results([str(path)])) == [{"n": 1}, {"n": 3}]


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b'{"n": 1}\n{"n": 2, "pa')
    (tmp_path / "b").write_bytes(b'\n{"n": 3}\n')
    gather([str(tmp_path / "a"), str(tmp_path / "b")], str(tmp_path / "all"))
    assert list(read_results([str(tmp_path / "all")])) == [{"n": 1}, {"n": 3}]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "all", "b"]
