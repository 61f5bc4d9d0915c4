"""Objects (S7): by no path can anybody tell what they may not see, and what is not there is 404 in any spelling."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.web.routes import API
from hub.web.routing import Route, UserRole
from tests.kit.facts import story
from tests.kit.office import GUARD, ROLES, Office, office

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Routes of one thing, and what that thing is called where it is there.
ONE = [route for route in API if "{" in route.path and route.media is None]
THERE = {"{mode}": "test", "{domain}": "mqtt_discovery", "{device}": "lane", "{zone}": "lane", "{sees}": "lane"}
#: Spellings of what is nowhere: another number, a number of another kind, somebody else's, a sentence of SQL.
NOWHERE = ("0", "-1", "999999", "1e0", "９", "lane_9", "' OR 1=1 --", "x" * 300)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("objects")
    async with office(folder) as found:
        await found.context.journal.commit(story())
        yield found


def filled(route: Route, name: str) -> str:
    path = route.path
    for hole, there in THERE.items():
        path = path.replace(hole, there)
    return re.sub(r"{[^}]+}", name, path)


@pytest.mark.parametrize("route", [one for one in ONE if one.role], ids=lambda route: f"{route.method} {route.path}")
async def test_who_may_not_see_cannot_tell_whether_it_is_there(desk: Office, route: Route) -> None:
    """The same words for an incident, a zone or a device that is there and for one that is not."""
    for who in (None, *ROLES):
        if who is not None and route.role is not None and UserRole[who.upper()] >= route.role:
            continue
        said = set()
        for name in ("1", "lane", *NOWHERE):
            answer = await desk.ask(filled(route, name), who, route.method, headers=GUARD)
            said.add((answer.status, await answer.text()))
        assert len(said) == 1, f"{who}: {said}"
        assert {status for status, _ in said} == {401 if who is None else 403}


@pytest.mark.parametrize("route", [one for one in ONE if one.method == "GET"], ids=lambda route: route.path)
async def test_what_is_not_there_is_not_found_in_any_spelling(desk: Office, route: Route) -> None:
    """Or an empty list, which says as little."""
    for name in NOWHERE:
        answer = await desk.ask(filled(route, name), "admin")
        text = await answer.text()
        if answer.status == 200:
            assert text.startswith('{"items":[]'), (name, text)
        else:
            assert answer.status in {400, 404, 422}, (name, text)


async def test_an_order_for_an_incident_of_another_zone_is_refused(desk: Office) -> None:
    """Whoever may speak in one zone cannot write into the case of another."""
    (row,) = (await (await desk.ask("/api/v1/incidents")).json())["items"]
    for zone in {"lane", "b3", "lane_9"} - {row["zone"]["id"] if isinstance(row["zone"], dict) else row["zone"]}:
        wanted = {"text": "请驶离", "incident": row["id"]}
        answer = await desk.ask(f"/api/v1/zones/{zone}/speech", "guard", "POST", json=wanted, headers=GUARD)
        assert answer.status in {404, 422}, await answer.text()
