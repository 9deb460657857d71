import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills",
        type=int,
        default=10,
        help="how often tests/integration/test_kills.py kills a download (default: 10)",
    )
