"""All who speak HTTP are told each lie over a real socket: a clear sentence, in time, and nothing goes elsewhere.

That nobody follows the redirect is seen by the guard of all tests (tests.kit.guards), which refuses and reports it.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from hub.model.errors import BadCredentials, Unreachable
from hub.model.text import clean
from tests.lies.guests import GUESTS, PASSWORD, tried
from tests.lies.liar import Lie, lying

#: Seconds until the last of what a device can do must have ended.
PATIENCE = 15.0
#: Where only the status of an answer counts, the rest is not even judged.
ONLY_STATUS = {("axis_speaker", Lie.HUGE)}
_KINDS = {Lie.WRONG_AUTH: BadCredentials, Lie.DRIP: Unreachable, Lie.CERTIFICATE: Unreachable}


@pytest.mark.parametrize("lie", Lie, ids=lambda lie: lie.name.lower())
@pytest.mark.parametrize("guest", GUESTS)
async def test_a_lie_ends_in_a_sentence(
    guest: str, lie: Lie, tmp_path: Path, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    async with lying(lie, certificate[1]) as liar, asyncio.timeout(PATIENCE):
        ended = await tried(guest, liar.url, tmp_path)
    assert ended, "it did nothing: the cell shows nothing"
    for what, error in ended.items():
        if (guest, lie) in ONLY_STATUS:
            assert error is None, what
            continue
        assert error is not None, f"{what} is taken for a success"
        if lie is Lie.CERTIFICATE:
            assert "Cert" in error.reason, what
        assert isinstance(error, _KINDS.get(lie, object)), f"{what}: {type(error).__name__}: {error.reason}"
        assert PASSWORD not in error.reason
        assert error.reason == clean(error.reason, 200)
    if lie is Lie.CERTIFICATE:
        assert not liar.asked, "it spoke with one whose certificate nobody vouches for"
    else:
        assert liar.asked
