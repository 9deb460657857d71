from collections.abc import Iterator

import pytest

from pipeline.terminal.market import Market
from pipeline.terminal.server import TerminalServer


@pytest.fixture(scope="session")
def market() -> Market:
    return Market()


@pytest.fixture
def terminal(market: Market) -> Iterator[TerminalServer]:
    with TerminalServer(market) as server:
        yield server
