import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def a_cache_of_the_tests_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
