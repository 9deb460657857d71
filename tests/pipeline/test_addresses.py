import pytest

from pipeline.addresses import is_address, is_sql, redacted, without_secrets


@pytest.mark.parametrize(
    ("url", "printed"),
    [
        ("postgresql://me:hush@db/greeks", "postgresql://me:***@db/greeks"),
        ("postgresql+psycopg://me:h:u@sh@db:5/x", "postgresql+psycopg://me:***@db:5/x"),
        ("postgresql://me@db/x?password=hush&a=1", "postgresql://me@db/x?password=***&a=1"),
        ("postgresql://db/x?sslpassword=hush", "postgresql://db/x?sslpassword=***"),
        ("sqlite:///runs.db", "sqlite:///runs.db"),
        ("data/metrics", "data/metrics"),
    ],
)
def test_a_password_is_not_printed(url: str, printed: str) -> None:
    assert redacted(url) == printed


def test_a_message_repeats_no_password_however_it_is_written() -> None:
    url = "postgresql://me:a%2Fb%20c@db/x"
    text = f"{url} refused a/b c, written a%2Fb%20c"
    assert without_secrets(text, url) == "postgresql://me:***@db/x refused ***, written ***"


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
    ],
)
def test_what_names_a_database(url: str, sql: bool, address: bool) -> None:
    assert is_sql(url) == sql
    assert is_address(url) == address


@pytest.mark.parametrize("folder", ["data/metrics", "s3://bucket/metrics", "postgres/metrics"])
def test_a_folder_is_no_database(folder: str) -> None:
    assert not is_sql(folder)
