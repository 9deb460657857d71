import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.storage.json_text import json_text

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), values))
def test_any_document_is_read_back_as_it_was(document: dict[str, object]) -> None:
    assert json.loads(json_text(document)) == document


def test_a_member_has_a_line_and_so_has_each_object_of_a_list() -> None:
    document = {"rows": 3, "request": {"symbol": ["SPXW"]}, "expirations": [{"n": 1}, {"n": 2}]}
    assert json_text(document).splitlines() == [
        "{",
        '  "rows": 3,',
        '  "request": {"symbol": ["SPXW"]},',
        '  "expirations": [',
        '    {"n": 1},',
        '    {"n": 2}',
        "  ]",
        "}",
    ]


def test_what_json_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        json_text({"n": object()})
