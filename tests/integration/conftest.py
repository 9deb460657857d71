from collections.abc import Iterator

import pytest

from pipeline.simulator.server import TerminalServer
from tests.support.oracle import Market


@pytest.fixture(scope="session")
def market() -> Market:
    return Market()


@pytest.fixture
def terminal(market: Market) -> Iterator[TerminalServer]:
    with TerminalServer(market) as server:
        yield server
