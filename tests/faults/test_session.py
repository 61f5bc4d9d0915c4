"""What the hub may conclude when a message comes again: only within one session of the broker is an id the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kit.hub import HubProcess, MakeHub
from tests.kit.mqtt import Lane
from tests.kit.puppet_broker import PuppetBroker
from tests.kit.site import Ends, short_rule, write_site
from tests.kit.store import rows
from tests.kit.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(90)]


def begin(broker: PuppetBroker, tmp_path: Path, hub_of: MakeHub) -> tuple[HubProcess, Lane]:
    config = write_site(tmp_path / "site", {"url": f"mqtt://127.0.0.1:{broker.port}"}, Ends())
    short_rule(config, "1 h")
    hub = hub_of(config)
    hub.start()
    return hub, Lane(broker.port)


def values(hub: HubProcess, lane: Lane) -> list[str]:
    found = rows(hub.data, "SELECT value FROM readings WHERE entity = ? ORDER BY seq", lane.entity)
    return [str(value) for (value,) in found]


def test_a_message_that_comes_again_in_the_same_session_is_taken_once(tmp_path: Path, hub_of: MakeHub) -> None:
    with PuppetBroker() as broker:
        hub, lane = begin(broker, tmp_path, hub_of)
        first = broker.accept(session_kept=False)
        first.publish(*lane.configuration(), mid=1, retained=True)
        first.publish(lane.topic, lane.state(occupied=True), mid=2)
        first.close()  # the broker has not seen the acknowledgement
        hub.kill()
        hub.start()
        second = broker.accept(session_kept=True)
        second.publish(lane.topic, lane.state(occupied=True), mid=2, again=True)
        second.publish(lane.topic, lane.state(occupied=False), mid=3)
        until(lambda: values(hub, lane), lambda seen: seen[-1] == "absent")
        assert values(hub, lane) == ["present", "absent"]
        assert hub.messages()["mqtt", "redelivered"] == 1
        second.close()


def test_an_id_of_a_lost_session_says_nothing_about_a_new_one(tmp_path: Path, hub_of: MakeHub) -> None:
    with PuppetBroker() as broker:
        hub, lane = begin(broker, tmp_path, hub_of)
        first = broker.accept(session_kept=False)
        first.publish(*lane.configuration(), mid=1, retained=True)
        first.publish(lane.topic, lane.state(occupied=True), mid=2)
        first.publish(lane.topic, lane.state(occupied=False), mid=3)
        first.close()
        broker.accept(session_kept=False).close()  # the broker was wiped; a new session begins and is cut at once
        third = broker.accept(session_kept=True)
        third.publish(lane.topic, lane.state(occupied=True), mid=2, again=True)  # a second car; sent in vain before
        third.publish(lane.topic, lane.state(occupied=False), mid=4)
        until(lambda: values(hub, lane), lambda seen: len(seen) > 2 and seen[-1] == "absent")
        third.close()
        assert values(hub, lane) == ["present", "absent", "present", "absent"]
