"""The power goes after a key was made: whoever was shown what it signed or opened still finds it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.storm import seed
from tests.faults.test_power_loss import need_strace
from tests.kit.powercut import STRACE, Disk, calls

pytestmark = pytest.mark.slow

CUTS = 20
SIGNED = "from hub.journal.signing import sign; sign(data, b'said')"
ENCRYPTED = """
import datetime
from hub.runtime.certificates import create
create(data / "tls", ["menshen.local"], datetime.datetime.now(datetime.UTC))
"""
FIRMWARE = "from firmware_bridge.files import write_whole; write_whole(data / 'fleet' / 'firmware.pem', b'key')"


@pytest.mark.parametrize("making", [SIGNED, ENCRYPTED, FIRMWARE], ids=["signing", "tls", "firmware"])
def test_a_key_that_was_made_is_still_there(tmp_path: Path, making: str) -> None:
    need_strace()
    data, trace = tmp_path / "data", tmp_path / "trace"
    data.mkdir()
    program = f"import pathlib\ndata = pathlib.Path({str(data)!r})\n{making}"
    done = subprocess.run([*STRACE, str(trace), sys.executable, "-c", program], capture_output=True, check=False)
    if done.returncode and not trace.exists():
        pytest.skip(f"strace may not trace here: {done.stderr.decode()[-300:]}")
    assert done.returncode == 0, done.stderr
    disk, chance = Disk(data), random.Random(seed())
    for call in calls(trace):
        if disk.concerns(call):
            disk.play(call)
    made = {path.relative_to(data): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    assert made
    for number in range(CUTS):
        left = tmp_path / str(number)
        disk.top.left(chance, left)
        for path, content in made.items():
            assert (left / path).read_bytes() == content, path
