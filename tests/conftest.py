import signal

import pytest


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
