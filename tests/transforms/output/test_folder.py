from pathlib import Path

import pytest

from transforms.output.folder import OutputFolder


@pytest.mark.parametrize("path", ["data/greeks", "s3://bucket/greeks", "/data/greeks"])
def test_what_is_not_data_lies_beside_the_folder(path: str) -> None:
    folder = OutputFolder(f"{path}/")
    beside = [folder.meta, folder.entries, folder.lock, folder.layout, folder.temporary("run-1")]
    assert [each.removeprefix(path) for each in beside] == [
        ".meta",
        ".meta/files",
        ".meta/lock",
        ".meta/layout.json",
        ".meta/unfinished/run-1",
    ]


@pytest.mark.parametrize("path", [".", "./", "sub/.."])
def test_a_folder_without_a_name_has_its_meta_folder_beside_it_too(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path)
    assert OutputFolder(path).meta == f"{tmp_path}.meta"


def test_an_entry_and_its_file_name_each_other() -> None:
    folder = OutputFolder("data/greeks")
    name = folder.name("data/greeks/2024-03-15/SPXW_20240315.csv")
    assert folder.file(name) == "data/greeks/2024-03-15/SPXW_20240315.csv"
    assert folder.entry_name(folder.entry(name)) == name


def test_a_file_elsewhere_has_no_name_in_the_folder() -> None:
    with pytest.raises(ValueError, match="data/greeks-daily/x.csv is not below data/greeks"):
        OutputFolder("data/greeks").name("data/greeks-daily/x.csv")


def test_the_absolute_path_leaves_a_store_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert OutputFolder("data/greeks").absolute().meta == f"{tmp_path}/data/greeks.meta"
    assert OutputFolder("s3://bucket/x").absolute().path == "s3://bucket/x"
