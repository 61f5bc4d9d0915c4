"""Disks that fail and disks that fill, played by strace and by a small file system."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.hub import HubProcess
from tests.kit.wait import until

#: Bytes of the small disk.
SMALL = 32 << 20


@contextlib.contextmanager
def faulty(hub: HubProcess, error: str, calls: str, when: str = "") -> Iterator[None]:
    """Have these system calls on the journal fail: each, or those that ``when`` names (strace(1), ``1``, ``3..5``)."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed: faults of the disk cannot be played")
    files = [argument for end in ("", "-wal") for argument in ("-P", f"{hub.data.resolve()}/journal.sqlite3{end}")]
    inject = f"inject={calls}:error={error}" + (f":when={when}" if when else "")
    command = ["strace", "-f", "-qq", "-o", "/dev/null", "-p", str(hub.pid), *files, "-e", f"trace={calls}"]
    tracer = subprocess.Popen([*command, "-e", inject], stderr=subprocess.PIPE, text=True)
    status = Path(f"/proc/{hub.pid}/status")
    try:
        with contextlib.suppress(AssertionError):
            until(lambda: f"TracerPid:\t{tracer.pid}" in status.read_text() or tracer.poll() is not None, within=5)
        if tracer.poll() is not None:
            assert tracer.stderr is not None
            pytest.skip(f"strace may not attach here: {tracer.stderr.read().strip()[:200]}")
        yield
    finally:
        tracer.send_signal(signal.SIGINT)  # it detaches
        tracer.communicate(timeout=10)


def fill(data: Path) -> Path:
    """Write until nothing more fits."""
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)
    return filler


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Lend a disk of 32 MB where the first hub of the test will have its data."""
    data = tmp_path / "data-0"
    data.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=700", "tmpfs", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()[:200]}")
    try:
        yield data
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)
