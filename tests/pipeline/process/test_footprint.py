"""What a command sets for its process, and what of it is the user's."""

import os
import subprocess
import sys

import pytest

_POOL = """
from pipeline.process.footprint import choose_pool, keep_lean
keep_lean()
choose_pool()
import pyarrow as pa
print(pa.default_memory_pool().backend_name)
"""


@pytest.mark.parametrize("pool", ["system", "mimalloc", "jemalloc"])
def test_the_users_choice_of_arrows_allocator_stands(pool: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _POOL],
        env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": pool},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == pool
