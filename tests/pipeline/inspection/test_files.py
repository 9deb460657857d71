from pathlib import Path

import pytest

from pipeline.inspection.files import UnreadableFile, find_files


def test_hidden_files_and_the_files_of_hidden_folders_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / ".mine"
    for name in (
        "trade_date=2024-03-14/b.csv.gz",
        "a.parquet",
        "notes.txt",
        "._a.parquet",
        "_unfinished.csv",
        ".snapshots/2024-03-15/old.csv",
        "_temporary/part.parquet",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    (folder / "folder.csv").mkdir()
    named = str(folder / "_unfinished.csv")
    wanted = [f"{folder}/a.parquet", f"{folder}/trade_date=2024-03-14/b.csv.gz"]
    assert find_files([str(folder)]) == wanted
    # Who names a file means it.
    assert find_files([named, str(folder), named]) == [named, *wanted]


def test_a_folder_without_data_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".hidden.csv").touch()
    with pytest.raises(UnreadableFile, match=r"has no file that ends in .*\.parquet"):
        find_files([str(tmp_path)])
