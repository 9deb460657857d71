import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from transforms.workers.process import ProcessId

PRINT = (
    "import sys; from transforms.workers import ProcessId; print(ProcessId.of(int(sys.argv[1])))"
)
STEP = (
    "sed -E 's/^btime ([0-9]+)/btime 1\\1/' /proc/stat > $1 && mount --bind $1 /proc/stat "
    '&& exec "$2" -c "$3" "$4"'
)


def test_a_process_is_itself_and_no_other() -> None:
    me, parent = ProcessId.current(), ProcessId.of(os.getppid())
    assert me == ProcessId.of(os.getpid())
    assert parent is not None
    assert me != parent
    assert not me.gone()
    assert ProcessId.of(1 << 30) is None


def test_a_step_of_the_clock_makes_no_process_another_one(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can have a /proc/stat of its own")
    arguments = [str(tmp_path / "stat"), sys.executable, PRINT, str(os.getpid())]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", STEP, "sh", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"no mount of its own here: {done.stderr[-200:]}")
    assert done.stdout.strip() == str(ProcessId.current())
