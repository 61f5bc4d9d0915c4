"""Files and live changes: each role gets what the tables say; a session that is over hears nothing more."""

from __future__ import annotations

import asyncio
from typing import get_args

import aiohttp
import pytest
from aiohttp import WSMsgType

from hub.journal.queries import put_token
from hub.web import live
from hub.web.live import LEAST, Topic
from hub.web.routes import API
from hub.web.routing import UserRole
from tests.kit.clock import settle
from tests.kit.office import GUARD, ROLES, Office, bearer
from tests.unit.web.test_api import fill

#: Routes that hand out files, with the path of one that is there.
MEDIA = {"evidence": "/api/v1/evidence/{file}"}
SOON = 10.0


def test_every_topic_has_a_least_role() -> None:
    assert LEAST.keys() == set(get_args(Topic))


@pytest.mark.parametrize("topic", get_args(Topic))
async def test_each_role_hears_the_topics_it_may(desk: Office, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each least role in turn, so that the table decides, and not what stands in it today."""
    for least in UserRole:
        monkeypatch.setitem(LEAST, topic, least)
        for role in ROLES:
            socket = await desk.client.ws_connect("/api/v1/ws", headers=bearer(f"token-of-{role}"))
            await socket.send_json({"subscribe": [topic]})
            if UserRole[role.upper()] < least:
                refused = await socket.receive(SOON)
                assert (refused.type, refused.data) == (WSMsgType.CLOSE, 1008)
            else:
                assert (await socket.receive_json(timeout=SOON))["topic"] == topic, "the answer to the subscription"
                assert (await told(desk, socket, topic)) == topic
            await socket.close()


async def told(desk: Office, socket: aiohttp.ClientWebSocketResponse, topic: Topic) -> str:
    """Let a topic change once the hub has read that the socket wants it; return what it says."""
    async with asyncio.timeout(SOON):
        while not any(topic in client.topics for client in desk.context.live._clients):
            await settle()
    desk.context.live._tell(topic, ())
    return str((await socket.receive_json(timeout=SOON))["topic"])


@pytest.mark.parametrize("text", ['{"subscribe": ["audit"]}', '{"subscribe": ["site"], "as": "admin"}', "{}", "x"])
async def test_what_is_no_command_ends_the_socket(desk: Office, text: str) -> None:
    socket = await desk.client.ws_connect("/api/v1/ws", headers=bearer("token-of-admin"))
    await socket.send_str(text)
    assert (await socket.receive(SOON)).data == 1008


@pytest.mark.parametrize("who", [None, "nobody"])
async def test_nobody_else_opens_a_socket(desk: Office, who: str | None) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await desk.client.ws_connect("/api/v1/ws", headers=bearer(f"token-of-{who}") if who else {})
    assert caught.value.status == 401


async def test_a_socket_ends_with_its_session(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN", 0.0)
    monkeypatch.setattr(live, "QUIET", 0.01)
    await desk.sign_up("王师傅", "guard")
    assert (await desk.sign_in("王师傅")).status == 200
    socket = await desk.client.ws_connect("/api/v1/ws")
    await socket.send_json({"subscribe": ["site"]})
    await socket.receive_json(timeout=SOON)
    assert await told(desk, socket, "site") == "site"
    assert (await desk.client.delete("/api/v1/session", headers=GUARD)).status == 204
    ended = await socket.receive(SOON)
    assert (ended.type, ended.data, ended.extra) == (WSMsgType.CLOSE, 1008, "signed out")


async def test_a_lower_role_hears_less_from_then_on(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "AGAIN", 0.0)
    monkeypatch.setitem(LEAST, "incidents", UserRole.GUARD)
    socket = await desk.client.ws_connect("/api/v1/ws", headers=bearer("token-of-guard"))
    await socket.send_json({"subscribe": ["incidents", "site"]})
    assert [(await socket.receive_json(timeout=SOON))["topic"] for _ in range(2)] == ["incidents", "site"]
    assert await told(desk, socket, "incidents") == "incidents"
    now = desk.clock.now()
    await desk.context.journal.execute(lambda db: put_token(db, "guard", "viewer", "token-of-guard", now))
    desk.context.live._tell("incidents", ())
    assert await told(desk, socket, "site") == "site"
    await socket.close()


async def test_files_are_for_those_whom_the_table_names(desk: Office) -> None:
    await fill(desk)
    (file,) = (await (await desk.ask("/api/v1/evidence")).json())["items"]
    assert {route.name for route in API if route.media == "application/octet-stream"} == MEDIA.keys()
    for route in (route for route in API if route.name in MEDIA):
        for role in (None, *ROLES, "nobody"):
            answer = await desk.ask(MEDIA[route.name].format(file=file["id"]), role)
            if role in ROLES and route.role is not None and UserRole[str(role).upper()] >= route.role:
                assert (answer.status, await answer.read()) == (200, b"\xff\xd8\xff")
            else:
                assert answer.status in {401, 403}
                assert b"\xff\xd8" not in await answer.read()
