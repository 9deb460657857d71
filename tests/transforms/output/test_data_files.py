from transforms.output.data_files import ABSENT, DataFiles


def test_sizes_are_those_of_the_listing_and_a_name_that_is_not_there_has_none() -> None:
    found = DataFiles([("b/2.csv", 20), ("a/1.csv", 0), ("c.csv", 1 << 40)])
    assert found.sizes(["a/1.csv", "x", "c.csv", "b/2.csv"]).tolist() == [0, ABSENT, 1 << 40, 20]
    assert found.has(["a/1.csv", "a"]).tolist() == [True, False]
    assert DataFiles([]).sizes(["a"]).tolist() == [ABSENT]


def test_names_of_one_hash_are_there_with_a_size_that_proves_no_entry() -> None:
    # One name twice stands for two names that happen to have one hash.
    found = DataFiles([("a", 1), ("a", 2), ("a", 3), ("b", 4)])
    assert found.has(["a", "b"]).tolist() == [True, True]
    assert found.sizes(["a"])[0] not in (ABSENT, 1, 2, 3)
    assert found.sizes(["b"])[0] == 4
