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


_UNMAPPED = """
import pyarrow as pa
import pyarrow.compute as pc
from pipeline.process.footprint import unmap_libraries

def mapped():
    (line,) = (line for line in open("/proc/self/status") if line.startswith("RssFile"))
    return int(line.split()[1])

column = pa.array(range(1000))
before = mapped()
unmap_libraries()
print(before, mapped(), pc.sum(column))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it reads /proc")
def test_the_pages_that_importing_touched_are_unmapped_and_the_libraries_still_work() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _UNMAPPED], capture_output=True, text=True, check=True
    )
    before, after, total = map(int, done.stdout.split())
    assert after < before / 2
    assert total == 499_500
