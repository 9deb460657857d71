from collections.abc import Iterator

import pytest

from pipeline.simulator.market.market import Market
from pipeline.simulator.server import TerminalServer


@pytest.fixture(scope="session")
def market() -> Market:
    return Market()


@pytest.fixture
def terminal(market: Market) -> Iterator[TerminalServer]:
    with TerminalServer(market) as server:
        yield server
