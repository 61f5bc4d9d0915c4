"""A page that comes back misses nothing: the hub answers its subscription with everything."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.model.entry import Entry, Note
from hub.model.ids import EntityId
from hub.model.reading import NEVER_HEARD
from hub.web.live import EDITED, SINGLE, Live, _Client
from hub.web.routing import UserRole
from hub.web.serving import Serving
from tests.kit.facts import at
from tests.kit.office import GUARD, Office, bearer

SOON = 10.0


class Viewer:
    """A signed-in person, as far as the socket asks."""

    role = UserRole.VIEWER


def client() -> _Client:
    async def identify() -> Any:
        return Viewer()

    return _Client(identify, Viewer())  # type: ignore[arg-type]


def said(page: _Client) -> list[tuple[str, str | None]]:
    return [(change.topic, change.id) for change in page.take()]


async def test_an_edited_site_is_fetched_again() -> None:
    live, page = Live(lambda entity: ()), client()
    page.subscribe(["zones", "site"])
    said(page)
    live._clients.add(page)
    live.committed(Entry(at(0), notes=[Note(EDITED, at(0), {})]))
    assert said(page) == [("zones", None), ("site", None)]


async def test_a_subscription_is_answered_with_all_of_its_topics() -> None:
    page = client()
    page.subscribe(["zones", "incidents"])
    assert page.wake.is_set()
    assert said(page) == [("incidents", None), ("zones", None)]
    assert said(page) == []


async def test_what_is_all_of_a_topic_stays_all_when_single_things_come_before_or_after() -> None:
    page = client()
    page.subscribe(["zones"])
    said(page)
    page.tell("zones", ["lane"])
    page.tell("zones", ())
    page.tell("zones", ["gate"])
    assert said(page) == [("zones", None)]
    page.tell("zones", ["lane"])
    page.tell("zones", ["gate"])
    assert said(page) == [("zones", "gate"), ("zones", "lane")]
    page.tell("zones", [str(number) for number in range(SINGLE + 1)])
    assert said(page) == [("zones", None)]


async def test_a_reading_tells_of_the_zones_that_it_serves_only() -> None:
    served = {"x.car": {"lane", "gate"}, "x.other": set[str]()}
    live, page = Live(lambda entity: served[entity]), client()
    page.subscribe(["zones", "site"])
    live._clients.add(page)
    said(page)
    live.committed(Entry(at(0), states={EntityId("x.car"): NEVER_HEARD}))
    assert said(page) == [("zones", "gate"), ("zones", "lane")]
    live.committed(Entry(at(0), states={EntityId("x.other"): NEVER_HEARD}))
    assert said(page) == [], "it is bound to none"


async def test_a_page_may_ask_for_some_zones(desk: Office) -> None:
    async def named(query: str) -> list[str]:
        return [zone["id"] for zone in (await (await desk.ask(f"/api/v1/zones{query}")).json())["items"]]

    assert await named("") == ["lane"]
    assert await named("?id=lane&id=lane&id=nowhere") == ["lane"]
    assert await named("?id=nowhere") == []


async def test_bindings_are_looked_up_anew_when_the_site_is_another(desk: Office) -> None:
    site = desk.context.folder().settings.site
    sites = [site]
    serving = Serving(lambda: sites[-1])
    assert serving(EntityId("mqtt_discovery.car")) == {"lane"}
    sites.append(msgspec.structs.replace(site, zones={}))
    assert serving(EntityId("mqtt_discovery.car")) == frozenset()


async def test_what_changed_between_two_connections_is_seen_after_the_second(desk: Office) -> None:
    """Cut, change, come back, with a fetch that overtakes the subscription: the last word is still the hub's."""
    seen: list[bool] = []

    async def fetch() -> None:
        modes = (await (await desk.ask("/api/v1/site")).json())["modes"]
        seen.append(next(mode["on"] for mode in modes if mode["mode"] == "test"))

    async def switch(on: bool) -> None:
        answer = await desk.ask("/api/v1/site/modes/test", "guard", "PUT", json={"on": on}, headers=GUARD)
        assert answer.status == 200

    for turn in range(6):
        socket = await desk.client.ws_connect("/api/v1/ws", headers=bearer("token-of-viewer"))
        await fetch()  # before the hub has read what the page wants to hear of
        await switch(turn % 2 == 0)  # which nobody tells this page
        await socket.send_json({"subscribe": ["site"]})
        assert (await socket.receive_json(timeout=SOON))["topic"] == "site"
        await fetch()
        assert seen[-1] is (turn % 2 == 0)
        assert socket._response.connection is not None
        socket._response.connection.transport.abort()  # type: ignore[union-attr]  # as when Wi-Fi goes: no goodbye
