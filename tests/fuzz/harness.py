"""What each decoder is fed with, and what counts as a finding."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from hub.model.errors import HubError

CORPUS = Path(__file__).parent / "corpus"
#: One module each.
NAMES = ("frame", "serial", "messages", "image")
#: Seconds of processor time that one input may take: what the machine does beside it does not count.
LONGEST = 1.0


def harness(name: str) -> Callable[[bytes], None]:
    """Return what feeds one decoder. It raises AssertionError for a hang, and whatever is not a HubError."""
    take: Callable[[bytes], None] = import_module(f"tests.fuzz.{name}").take

    def feed(data: bytes) -> None:
        began = time.process_time()
        with suppress(HubError):  # declared: the input is refused
            take(data)
        took = time.process_time() - began
        assert took < LONGEST, f"{len(data)} bytes took {took:.1f} s"

    return feed
