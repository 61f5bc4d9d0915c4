"""All who speak HTTP are told each lie over a real socket: a clear sentence, in time, and nothing goes elsewhere."""

from __future__ import annotations

import asyncio
import ssl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.model.errors import BadCredentials, Unreachable
from hub.model.text import clean
from tests.lies.guests import GUESTS, PASSWORD, tried
from tests.lies.liar import Lie, lying

#: Seconds until the last of what a device can do must have ended.
PATIENCE = 15.0
#: Where only the status of an answer counts, the rest is not even judged.
ONLY_STATUS = {("axis_speaker", lie) for lie in (Lie.TRUNCATED, Lie.HUGE, Lie.DRIP)}
#: What a stream of events refuses by its kind of content, before the lie.
_REFUSED_AT_ONCE = {("dahua events", Lie.DRIP), ("hikvision events", Lie.DRIP)}
_KINDS = {Lie.WRONG_AUTH: BadCredentials, Lie.DRIP: Unreachable, Lie.CERTIFICATE: Unreachable}


class _Calls:
    """Where this process connects to, from the interpreter's own audit; a hook can never be taken out again."""

    def __init__(self) -> None:
        self.seen: list[str] | None = None
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.seen is not None and event == "socket.connect":
            self.seen.append(str(arguments[1]))

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Collect the addresses."""
        seen: list[str] = []
        self.seen = seen
        try:
            yield seen
        finally:
            self.seen = None


CALLS = _Calls()


@pytest.mark.parametrize("lie", Lie, ids=lambda lie: lie.name.lower())
@pytest.mark.parametrize("guest", GUESTS)
async def test_a_lie_ends_in_a_sentence(
    guest: str, lie: Lie, tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    with CALLS.listening() as seen:
        async with lying(lie, certificate[1]) as liar, asyncio.timeout(PATIENCE):
            ended = await tried(guest, liar.url, tmp_path)
    assert ended, "it did nothing: the cell shows nothing"
    assert seen, "nobody called: the cell shows nothing"
    assert {"127.0.0.1" in where for where in seen} == {True}, seen
    for what, error in ended.items():
        if (guest, lie) in ONLY_STATUS:
            assert error is None, what
            continue
        assert error is not None, f"{what} is taken for a success"
        if (guest, lie) not in _REFUSED_AT_ONCE:
            assert isinstance(error, _KINDS.get(lie, object)), f"{what}: {type(error).__name__}: {error.reason}"
        assert PASSWORD not in error.reason
        assert error.reason == clean(error.reason, 200)
    if lie is Lie.CERTIFICATE:
        assert not liar.asked, "it spoke with one whose certificate nobody vouches for"
    else:
        assert liar.asked
