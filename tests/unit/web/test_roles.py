"""Who may do what: every cell of role by route, generated from the table of routes; everything else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from hub.journal.queries import add_token
from hub.journal.users import IDLE
from hub.model.time import MINUTE
from hub.web import schema
from hub.web.openapi import document
from hub.web.routes import API, OTHER
from hub.web.routing import Route, UserRole
from hub.web.server import HEADERS
from hub.web.tries import TRIES
from tests.kit.office import GUARD, PASSWORD, ROLES, Office, bearer
from tests.unit.config.test_site import RULE

ROOT = Path(__file__).parents[3]
ROUTES = (*API, *OTHER)
WHO = (None, *ROLES, "nobody")
#: Bodies that the routes take, for those that may come in.
BODIES: dict[str, Any] = {
    "sign_in": {"token": "token-of-viewer"},
    "set_mode": {"on": False},
    "bind": {"role": "vehicle", "entity": "mqtt_discovery.other"},
    "add_device": {"integration": "http_speaker", "name": "gate", "values": {"name": "门", "url": "http://127.0.0.1/"}},
    "ignore": {"ignored": True},
    "roll_out": {"digest": "ab" * 32},
    "name_site": {"name": {"zh": "小区", "en": ""}},
    "put_area": {"name": {"zh": "楼", "en": ""}},
    "put_zone": {"kind": "gate", "name": {"zh": "门", "en": ""}},
    "draw_zone": {"polygon": [[0, 0], [0.5, 0], [0.5, 1]]},
    "put_sight": {"polygon": [[0, 0], [0.5, 0], [0.5, 1]]},
    "place_device": {"x": 0.5, "y": 0.25},
    "first_run": {"code": "ABCD-EFGH", "name": "陈经理", "password": PASSWORD},
    "change_password": {"password": PASSWORD, "new": "another long one"},
    "want_factor": {"password": PASSWORD},
    "set_factor": {"code": "123456"},
    "drop_factor": {"password": PASSWORD},
    "add_user": {"name": "王师傅", "role": "guard", "password": PASSWORD},
    "change_user": {"role": "viewer"},
    "add_token": {"name": "desk screen", "role": "viewer"},
    "hold": {"on": True},
    "review": {"fell": True, "seen": "open"},
    "handle": {"state": "acknowledged", "seen": "open"},
    "speak": {"text": "请驶离"},
    "take_picture": {},
    "change_roster": {"version": 0, "roster": {}},
    "give": {"giver": "王师傅"},
    "take": {"taker": "李师傅"},
    "draft": {"text": RULE},
    "merge": {"base": "a", "mine": "a", "theirs": "b"},
    "save_rule": {"text": RULE, "base": "", "reason": "why"},
    "switch_rule": {"dry_run": True, "reason": "why"},
    "speech": {"prompt": "none"},
    "open_ticket": {"device": "sim/a", "note": "坏了"},
    "change_ticket": {"assigned": "李师傅"},
    "put_stop": {"camera": "sim.a"},
    "begin_tour": {},
    "judge_candidate": {"mark": "fine"},
    "tick_tour_check": {"check": "1", "stop": "sim.a"},
    "test_speaker": {"text": "试音"},
    "test_relay": {"seconds": 2},
    "backtest": {"rule": RULE, "begin": "2024-10-01T00:00Z", "end": "2024-10-02T00:00Z"},
}


def path_of(route: Route) -> str:
    path = route.path.replace("{mode}", "test").replace("{id}", "1").replace("{domain}/{device}", "sim/a")
    path = (
        path.replace("{device}", "a")
        .replace("{zone}", "lane")
        .replace("{entity}", "sim.a")
        .replace("{sees}", "lane")
        .replace("{piece}", "1")
    )
    return f"{path}?entity=a.b" if route.name == "history" else path


def allowed(route: Route, who: str | None) -> bool:
    return route.role is None or (who in ROLES and UserRole[str(who).upper()] >= route.role)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_each_role_gets_what_the_table_says(desk: Office, route: Route) -> None:
    for who in WHO:
        answer = await desk.ask(path_of(route), who, route.method, json=BODIES.get(route.name), headers=GUARD)
        if allowed(route, who):
            assert answer.status not in {401, 403}, who
            assert answer.status < 500 or answer.status == 502, who
        else:
            expected = 403 if who in ROLES else 401
            assert answer.status == expected, who
            problem = msgspec.json.decode(await answer.read(), type=schema.Problem)
            assert problem.error == ("role" if who in ROLES else "sign_in")


async def test_every_route_of_the_server_is_in_the_table(desk: Office) -> None:
    """What is registered beside it is the page and its assets, which are only read."""
    table = {(route.name, route.method, route.path) for route in ROUTES}
    for found in desk.client.app.router.routes():
        assert found.resource is not None
        if found.name in {"page", "shell", "assets"}:
            assert found.method in {"GET", "HEAD"}
        elif found.method != "HEAD":
            assert (found.name, found.method, found.resource.canonical) in table
    assert {route.name for route in ROUTES if route.takes is not None} == BODIES.keys(), (
        "a body for each that takes one"
    )


def test_what_is_open_to_everybody_is_listed_here() -> None:
    assert {route.name for route in ROUTES if route.role is None} == {
        "sign_in", "is_first_run", "first_run", "openapi", "healthz", "readyz", "metrics", "pushed", "pushed_get",
        "authority",
    }  # fmt: skip
    assert {route.name for route in ROUTES if route.method != "GET"} == {
        "sign_in", "sign_out", "set_mode", "backtest", "pushed", "bind", "add_device", "remove_device", "ignore",
        "put_sight", "remove_sight", "name_site", "watch_hub", "put_area", "remove_area", "put_zone", "remove_zone",
        "put_plan", "remove_plan", "draw_zone", "erase_zone", "place_device", "lift_device",
        "first_run", "change_password", "want_factor", "set_factor", "drop_factor", "add_user", "change_user",
        "add_token", "revoke_token",
        "handle", "review", "speak", "take_picture", "change_roster", "give", "take",
        "draft", "merge", "save_rule", "remove_rule", "switch_rule", "speech",
        "export", "hold", "verify_chain",
        "load_firmware", "roll_out", "stop_rollout", "release",
        "open_ticket", "change_ticket", "test_speaker", "test_camera", "test_relay",
        "put_stop", "begin_tour", "accept_picture", "judge_candidate", "begin_tour_check", "tick_tour_check",
    }  # fmt: skip
    assert len({route.name for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.method != "GET" and route.guarded], ids=lambda route: route.name
)
async def test_a_write_that_another_site_could_send_is_refused(desk: Office, route: Route) -> None:
    signed = await desk.client.post("/api/v1/session", json={"token": "token-of-admin"}, headers=GUARD)
    assert signed.status == 200
    host = f"{desk.client.host}:{desk.client.port}"
    refused: list[dict[str, str]] = [
        {},
        {"Origin": f"http://{host}"},
        {**GUARD, "Origin": "http://evil.example"},
        {**GUARD, "Origin": f"http://{host}.evil.example"},
        {**GUARD, "Origin": "null"},
        {**GUARD, "Origin": "http://[::1"},
        bearer("token-of-admin"),
    ]
    for headers in refused:
        answer = await desk.client.request(route.method, path_of(route), json=BODIES.get(route.name), headers=headers)
        assert answer.status == 403, headers
        assert (await answer.json())["error"] in {"origin", "guard"}
    well = {**GUARD, "Origin": f"http://{host}"}
    answer = await desk.client.request(route.method, path_of(route), json=BODIES.get(route.name), headers=well)
    assert answer.status in {200, 201, 202, 204, 404, 409, 422}  # it came in; what it names may not be there


async def test_a_socket_of_another_site_is_refused(desk: Office) -> None:
    await desk.client.post("/api/v1/session", json={"token": "token-of-admin"}, headers=GUARD)
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await desk.client.ws_connect("/api/v1/ws", origin="http://evil.example")
    assert caught.value.status == 403


STRANGE = (
    *("/api", "/api/v1", "/api/v1/", "/api/v1/sites", "/api/v2/site", "/admin", "/.git/config", "/hub.yaml"),
    *("/data/journal.sqlite3", "/index.html", "//api/v1/site", "/api//v1/site", "/api/v1/site/", "/api/v1/./site"),
    *("/api/v1/zones/../site", "/api/v1/%73ite/x", "/api/v1/zones/..", "/api/v1/site%2f", "/api/v1/site;a=b"),
    *("/api/v1/site%00", "/API/v1/site", "/api/v1/zones%2f..%2fsite", "/api/v1/%2573ite", "/api/v1/%73ite"),
    *("/assets/../index.html", "/assets/..%2f..%2fhub.yaml", "/assets/%2e%2e/%2e%2e/hub.yaml", "/assets/"),
    *("/assets/..%5c..%5chub.yaml", "/assets/%252e%252e/hub.yaml", "/assets//etc/passwd", "/assets/app.js%00"),
    *("/api/v1/evidence/..%2f..%2fjournal.sqlite3", "/api/v1/evidence/%2e%2e"),
)


@pytest.mark.parametrize("path", STRANGE)
async def test_what_is_not_in_the_table_does_not_exist(desk: Office, path: str) -> None:
    """Sent as it stands: a client's library would tidy the path."""
    status, _, body = await raw(desk, path, "Authorization: Bearer token-of-admin")
    if status == 200:  # the same thing by another spelling is fine when it needs the same role
        status, _, body = await raw(desk, path, "Accept: */*")
        assert status == 401
    else:
        assert status in {400, 403, 404, 405}, body
    assert b"sqlite" not in body.lower()
    assert b"Traceback" not in body


async def test_security_headers_are_on_every_answer(desk: Office) -> None:
    gets = ("/", "/assets/app.js", "/api/v1/site", "/api/v1/zones/x", "/nothing", "/healthz", "/metrics")
    for path, method in (*((path, "GET") for path in gets), ("/api/v1/site", "DELETE"), ("/api/v1/session", "POST")):
        for role in (None, "viewer"):
            answer = await desk.ask(path, role, method)
            for name, value in HEADERS.items():
                assert answer.headers.get(name) == value, (path, name)


async def raw(desk: Office, path: str, *headers: str) -> tuple[int, bytes, bytes]:
    import asyncio

    reader, writer = await asyncio.open_connection(desk.client.host, desk.client.port)
    lines = [f"GET {path} HTTP/1.1", f"Host: {desk.client.host}:{desk.client.port}", "Connection: close", *headers]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), head, body


async def test_credentials_are_compared_whole(desk: Office) -> None:
    for header in (
        "Bearer", "Bearer ", "Bearer token-of-admi", "Bearer token-of-admin2", "Basic token-of-admin", "token-of-admin",
        "Bearer \xff\xfe", "Bearer " + "x" * 4_000, "Bearer token-of-admin\x20x",
    ):  # fmt: skip
        status, _, body = await raw(desk, "/api/v1/site", f"Authorization: {header}")
        assert status == 401, (header, body)
    status, _, _ = await raw(desk, "/api/v1/site", "Cookie: menshen_session=\xff; menshen_session=")
    assert status == 401


async def test_signing_in_and_out(desk: Office) -> None:
    signed = await desk.client.post("/api/v1/session", json={"token": "token-of-guard"}, headers=GUARD)
    assert await signed.json() == {"name": "guard", "role": "guard", "account": False, "factor_due": None}
    cookie = signed.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "token-of-guard" not in cookie
    assert (await desk.client.get("/api/v1/session")).status == 200
    assert (await desk.client.delete("/api/v1/session", headers=GUARD)).status == 204
    value = cookie.partition("=")[2].partition(";")[0]
    old = await desk.client.get("/api/v1/session", headers={"Cookie": f"menshen_session={value}"})
    assert old.status == 401, "the session is gone, not only its cookie"


async def test_a_session_ends_when_its_token_is_replaced_and_follows_its_role(desk: Office) -> None:
    await desk.client.post("/api/v1/session", json={"token": "token-of-guard"}, headers=GUARD)
    await desk.context.journal.execute(lambda db: add_token(db, "guard", "viewer", "token-of-guard", desk.clock.now()))
    refused = await desk.client.put("/api/v1/site/modes/test", json={"on": True}, headers=GUARD)
    assert (refused.status, (await refused.json())["error"]) == (403, "role")
    await desk.context.journal.execute(lambda db: add_token(db, "guard", "viewer", "another", desk.clock.now()))
    assert (await desk.client.get("/api/v1/session")).status == 401


async def test_a_session_nobody_uses_ends(desk: Office) -> None:
    await desk.client.post("/api/v1/session", json={"token": "token-of-guard"}, headers=GUARD)
    for step, status in ((IDLE, 200), (IDLE, 200), (IDLE + 1, 401)):
        desk.clock.advance(step)
        assert (await desk.client.get("/api/v1/session")).status == status


async def test_sign_in_is_slowed_down_after_ten_failures(desk: Office) -> None:
    async def attempt(token: str) -> int:
        answer = await desk.client.post("/api/v1/session", json={"token": token}, headers=GUARD)
        return answer.status

    assert [await attempt(f"guess {number}") for number in range(TRIES)] == [401] * TRIES
    assert await attempt("guess") == 429
    assert await attempt("token-of-admin") == 429, "the right one, too, so that nobody learns it is right"
    assert (await desk.ask("/api/v1/site")).status == 200, "who has a token is not locked out"
    desk.clock.advance(MINUTE + 1)
    assert await attempt("token-of-admin") == 200


def test_the_document_for_the_page_is_the_one_of_the_table() -> None:
    stored = json.loads((ROOT / "ui" / "openapi.json").read_text("utf-8"))
    assert stored == json.loads(json.dumps(document(API))), "run: python -m hub.web.openapi > ui/openapi.json"
