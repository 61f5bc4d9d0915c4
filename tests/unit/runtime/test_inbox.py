"""Found devices: known again after a restart, the same one at another address, ignored for good."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.journal.store import Journal
from hub.model.found import Found, Source
from hub.model.time import MINUTE
from hub.runtime.inbox import MOST, SEEN_AGAIN, Inbox, NotFound
from tests.kit.clock import VirtualClock

CAMERA = Found(Source.ONVIF, "urn:uuid:1", "Camera", "onvif", {"address": "10.0.0.5"}, {"url": "http://10.0.0.5/"})
MOVED = Found(Source.ONVIF, "urn:uuid:1", "Camera", "onvif", {"address": "10.0.0.9"}, {"url": "http://10.0.0.9/"})


async def test_what_a_person_decided_outlives_a_restart_and_a_new_address(tmp_path: Path) -> None:
    journal, clock = Journal(tmp_path), VirtualClock()
    inbox = Inbox(journal, clock, ())
    await inbox.see(CAMERA)
    first = inbox.get(CAMERA.key)
    assert (first.first_seen, first.ignored, first.adopted) == (clock.now(), False, "")
    await inbox.ignore(CAMERA.key, ignored=True)
    await clock.run(MINUTE)
    await inbox.see(MOVED)
    again = Inbox(journal, clock, journal.load().found)
    (item,) = again.items
    assert (item.found, item.ignored, item.first_seen) == (MOVED, True, first.first_seen)
    assert item.last_seen == clock.now()
    await again.adopted(MOVED.key, "onvif.gate")
    assert Inbox(journal, clock, journal.load().found).get(CAMERA.key).adopted == "onvif.gate"
    await journal.close()


async def test_seeing_the_same_again_writes_seldom(tmp_path: Path) -> None:
    journal, clock = Journal(tmp_path), VirtualClock()
    inbox = Inbox(journal, clock, ())
    await inbox.see(CAMERA)
    seen = inbox.get(CAMERA.key).last_seen
    await clock.run(MINUTE)
    await inbox.see(CAMERA)
    assert inbox.get(CAMERA.key).last_seen == seen
    await clock.run(SEEN_AGAIN)
    await inbox.see(CAMERA)
    assert inbox.get(CAMERA.key).last_seen == clock.now()
    await journal.close()


async def test_liars_do_not_fill_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    inbox = Inbox(journal, VirtualClock(), ())
    for number in range(MOST + 5):
        await inbox.see(Found(Source.MDNS, f"x{number}", "x"))
    assert len(inbox.items) == MOST
    with pytest.raises(NotFound):
        await inbox.ignore("nobody", ignored=True)
    await journal.close()
