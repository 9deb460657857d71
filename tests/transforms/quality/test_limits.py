import pytest

from transforms.quality.limits import RULES, Limit, broken, parse_limits


def test_shares_counts_and_bare_rules_are_read() -> None:
    limits = parse_limits(" zero_greeks>5%, holes > 0.5% ,duplicates>10,iv_error,")
    assert limits == (
        Limit("zero_greeks", 0.05, True),
        Limit("holes", 0.005, True),
        Limit("duplicates", 10),
        Limit("iv_error", 0),
    )
    assert [str(limit) for limit in limits] == [
        "zero_greeks>5%",
        "holes>0.5%",
        "duplicates>10",
        "iv_error>0",
    ]
    assert parse_limits("") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zero_greek>5%", "'zero_greek' is not a rule: they are missing_values, .*holes, .*any"),
        ("holes<5%", "'holes<5%' is not a limit: write a rule"),
        ("holes>101%", "more than every row"),
        ("missing_dates>5%", "trade dates are no share of the rows; write missing_dates>1"),
        ("holes>-1", "not a limit"),
    ],
)
def test_what_is_no_limit_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_limits(text)


def test_a_limit_is_what_still_passes() -> None:
    counts = {"holes": 10, "duplicates": 5}
    assert broken(parse_limits("duplicates>5,iv_error,duplicates>5%"), counts, 100) == []
    assert broken(parse_limits("duplicates>4"), counts, 100) == [
        f"duplicates>4 is exceeded: 5 (5% of 100 rows) with {RULES['duplicates']}"
    ]


def test_holes_are_a_share_of_the_rows_that_should_be_there() -> None:
    assert broken(parse_limits("holes>9%"), {"holes": 10}, 100)
    assert not broken(parse_limits("holes>9.1%"), {"holes": 10}, 100)


def test_any_is_the_sum_of_all_rules() -> None:
    assert broken(parse_limits("any>14"), {"holes": 10, "duplicates": 5}, 100)
    assert not broken(parse_limits("any>15"), {"holes": 10, "duplicates": 5}, 100)


def test_more_findings_than_rows_are_told_as_a_number_alone() -> None:
    (limit,) = parse_limits("any")
    assert limit.exceeded({"holes": 29_441}, 23_240) == (
        "any>0 is exceeded: 29,441 with findings of every rule"
    )
    assert "2,324 (10% of 23,240 rows)" in str(limit.exceeded({"holes": 2_324}, 23_240))
