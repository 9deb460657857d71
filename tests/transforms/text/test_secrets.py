"""No secret is shown, wherever it stands and whoever repeats it."""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.model import Failure
from transforms.text import secrets
from transforms.text.secrets import hide, redacted, remember, remember_all
from transforms.thetadata import StatusError

SECRETS = st.text("abcXYZ019/?#%:&=+!$'\"\\é日.,-_~@", min_size=6, max_size=30).filter(
    lambda secret: any(map(str.isalpha, secret)) and len(set(secret)) > 3
)


@pytest.fixture(autouse=True, scope="module")
def _forgotten() -> Iterator[None]:
    before = set(secrets._known)
    yield
    secrets._known.clear()
    secrets._known.update(before)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:hush@db/greeks", "postgresql://me:***@db/greeks"),
        ("postgresql+psycopg://me:h:u@sh@db:5/x", "postgresql+psycopg://me:***@db:5/x"),
        ("postgresql://me:h/u?s#h%2F@db/greeks", "postgresql://me:***@db/greeks"),
        ("postgresql://me@db/x?password=hush&a=1", "postgresql://me@db/x?password=***&a=1"),
        ("postgresql://db/x?sslpassword=hush", "postgresql://db/x?sslpassword=***"),
        ("http://user:hush@127.0.0.1:25503", "http://user:***@127.0.0.1:25503"),
        ("s3://KEY:hu/sh@bucket/folder", "s3://KEY:***@bucket/folder"),
        ("host=db password='hu sh' user=me", "host=db password=*** user=me"),
        ("AccountName=a;AccountKey=hush==;x=1", "AccountName=a;AccountKey=***;x=1"),
        ("sqlite:///runs.db", "sqlite:///runs.db"),
        ("http://127.0.0.1:25503/v3?symbol=SPXW", "http://127.0.0.1:25503/v3?symbol=SPXW"),
        ("data/metrics", "data/metrics"),
    ],
)
def test_an_address_is_shown_without_its_secret(url: str, shown: str) -> None:
    assert redacted(url) == shown


@given(SECRETS)
def test_no_secret_of_an_address_is_left_in_it(secret: str) -> None:
    for written in (secret, quote(secret), quote(secret, safe="")):
        for address in (
            f"postgresql://me:{written}@db:5432/greeks",
            f"http://me:{written}@127.0.0.1:25503",
            f"s3://KEY:{written}@bucket/folder",
        ):
            assert written not in redacted(address).replace("bucket/folder", "")
            # Without spaces, it is found within a text as well.
            assert hide(f"can't use {address}: why?") == f"can't use {redacted(address)}: why?"


@given(SECRETS)
def test_what_a_library_says_of_a_secret_in_its_own_words_is_hidden(secret: str) -> None:
    remember(f"postgresql://me:{quote(secret, safe='')}@db/greeks")
    for text in (secret, repr(secret)[1:-1], quote(secret, safe=""), json.dumps(secret)[1:-1]):
        assert secret not in hide(f"the server says: <{text}> is wrong")
        assert text not in hide(f"the server says: <{text}> is wrong")
        assert text not in Failure.of(OSError(f"<{text}>")).message
        assert text not in str(StatusError(500, f"<{text}>", "http://h/"))


@given(SECRETS)
def test_secrets_are_known_from_a_command_line_and_the_environment(secret: str) -> None:
    remember_all(
        ["download", "--s3-secret-access-key", f"1{secret}", f"--s3_session_token=2{secret}", "-x"],
        {"PGPASSWORD": f"3{secret}", "AWS_SECRET_ACCESS_KEY": f"4{secret}", "HOME": "/home/me"},
    )
    for number in "1234":
        assert f"{number}{secret}" not in hide(f"Discarding ['{number}{secret}']")
    assert hide("/home/me/download") == "/home/me/download"


def test_a_short_secret_hides_no_words_and_no_numbers() -> None:
    remember("postgresql://me:live@db/x")
    remember("postgresql://me:12345678@db/x")
    remember("postgresql://me:postgres@db/x")
    assert hide('{"data": "live", "rows": 12345678}') == '{"data": "live", "rows": 12345678}'
    assert hide("postgresql://me:live@db/x, postgresql+psycopg") == (
        "postgresql://me:***@db/x, postgresql+psycopg"
    )
