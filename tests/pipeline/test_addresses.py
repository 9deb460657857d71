import pytest

from pipeline.addresses import is_address, is_sql


@pytest.mark.parametrize(
    ("url", "sql", "address"),
    [
        ("sqlite:///a.db", True, True),
        ("sqlite:////a/b.db", True, True),
        ("sqlite://", True, False),
        ("sqlite:a.db", True, False),
        ("postgresql://db/x", True, True),
        ("postgres:///x", True, True),
        ("postgresql://db", True, False),
        ("postgresql://me:h/u?s#h@db:5432/x", True, True),
        ("postgresql://me:h/u?s#h@db:5432", True, False),
        ("postgresql://me:h@ush@db/x", True, False),
        ("postgresql+psycopg://[::1]:5432/x?sslmode=require", True, True),
    ],
)
def test_what_names_a_database(url: str, sql: bool, address: bool) -> None:
    assert is_sql(url) == sql
    assert is_address(url) == address


@pytest.mark.parametrize("folder", ["data/metrics", "s3://bucket/metrics", "postgres/metrics"])
def test_a_folder_is_no_database(folder: str) -> None:
    assert not is_sql(folder)
