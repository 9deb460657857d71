import signal
from pathlib import Path

import hypothesis
import pytest

# How long an example takes is not what a test claims: that is measured in bench/.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=500)
hypothesis.settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=10,
        help="how often tests/integration/test_kills.py kills a download (default: 10)",
    )


@pytest.fixture(autouse=True, scope="session")
def interrupts_are_heard() -> None:
    # A shell's background commands ignore SIGINT, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
