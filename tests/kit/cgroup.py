"""A control group with little memory, as a service manager or a container gives one to the hub."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

#: Where the two kinds of groups are mounted, and how each names its limit.
KINDS = ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"), (Path("/sys/fs/cgroup"), "memory.max"))


class Group:
    """One group; it ends with the test."""

    def __init__(self, folder: Path, limit: str) -> None:
        self._folder, self._limit = folder, limit

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put in front of a command, so that it and all that it starts is in the group."""
        return "/bin/sh", "-c", f'echo $$ > {self._folder}/cgroup.procs && exec "$@"', "sh"

    def limit(self, size: int) -> None:
        """Give it so many bytes, and no swap space beside them."""
        (self._folder / self._limit).write_text(str(size), "ascii")

    def resident(self) -> int:
        """Return the bytes that its processes hold, without what the system keeps of files."""
        words = dict(line.split() for line in (self._folder / "memory.stat").read_text("ascii").splitlines())
        return int(words.get("rss", words.get("anon", 0)))

    def killed(self) -> int:
        """Return how many processes the kernel has ended for lack of memory."""
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError):
                words = dict(line.split() for line in (self._folder / name).read_text("ascii").splitlines())
                return int(words["oom_kill"])
        raise AssertionError("the kernel does not say")


@pytest.fixture
def group() -> Iterator[Group]:
    """Lend a group; skips where none may be made."""
    mounted, limit = next((kind for kind in KINDS if (kind[0] / "cgroup.procs").exists()), KINDS[-1])
    folder = mounted / f"menshen-test-{uuid.uuid4().hex[:8]}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group may be made here ({error.strerror}): little memory cannot be played")
    try:
        if not os.access(folder / limit, os.W_OK):
            pytest.skip("control groups here do not limit memory: little memory cannot be played")
        yield Group(folder, limit)
    finally:
        folder.rmdir()
