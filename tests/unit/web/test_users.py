"""Users, tokens and the audit trail, as administrators and managers see them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.web.auth import COOKIE
from hub.web.routes import API, OTHER
from tests.kit.office import GUARD, PASSWORD, ROLES, Office, bearer
from tests.unit.web.test_account import cookie_of, enrol, is_signed_in
from tests.unit.web.test_roles import BODIES, path_of


async def ask(desk: Office, method: str, path: str, body: object = None, role: str = "admin") -> tuple[int, Any]:
    answer = await desk.ask(f"/api/v1/{path}", role, method, json=body, headers=GUARD)
    return answer.status, await answer.json() if answer.status != 204 else None


async def trail(desk: Office) -> list[tuple[str, str, str, str]]:
    """Return who did what on what and what came of it, newest first."""
    _, page = await ask(desk, "GET", "audit", role="manager")
    assert all(row["address"] in {"127.0.0.1", ""} for row in page["items"])
    return [(row["actor"], row["action"], row["target"], row["outcome"]) for row in page["items"]]


# users


async def test_an_administrator_adds_and_changes_users(desk: Office) -> None:
    number = await desk.sign_up("王师傅", "guard")
    status, shown = await ask(desk, "PUT", f"users/{number}", {"role": "manager"})
    assert (status, shown["role"], shown["disabled"], shown["second_factor"]) == (200, "manager", False, False)
    _, listed = await ask(desk, "GET", "users")
    assert [user["name"] for user in listed["items"]] == ["王师傅"]
    assert "password" not in listed["items"][0]
    assert (await ask(desk, "PUT", "users/77", {"role": "guard"}))[0] == 404
    assert (await ask(desk, "PUT", "users/x", {"role": "guard"}))[0] == 404
    assert (await ask(desk, "PUT", "users/99999999999999999999", {"role": "guard"}))[0] == 404
    assert (await trail(desk))[3:5] == [
        ("admin", "change_user", "王师傅", "done"),
        ("admin", "add_user", "王师傅", "done"),
    ]


@pytest.mark.parametrize(
    ("wanted", "status", "word"),
    [
        ({"name": "王师傅"}, 409, "taken"),
        ({"name": "WANG"}, 409, "taken"),
        ({"name": "viewer"}, 409, "taken"),  # a token has it
        ({"name": " \u200b\t"}, 422, "name"),
        ({"name": "Ｃonsole"}, 422, "name"),
        ({"name": "x" * 65}, 400, "bad_request"),
        ({"password": "1234567890"}, 422, "password_known"),
        ({"role": "root"}, 400, "bad_request"),
        ({"admin": True}, 400, "bad_request"),
    ],
)
async def test_what_cannot_be_a_user_is_refused(desk: Office, wanted: dict[str, Any], status: int, word: str) -> None:
    await desk.sign_up("王师傅", "guard")
    await desk.sign_up("wang", "guard")
    body = {"name": "new one", "role": "guard", "password": PASSWORD} | wanted
    refused, said = await ask(desk, "POST", "users", body)
    assert (refused, said["error"]) == (status, word)


async def test_names_are_cleaned(desk: Office) -> None:
    await desk.sign_up("  王\u202e师 \n 傅 ", "guard")
    _, listed = await ask(desk, "GET", "users")
    assert listed["items"][0]["name"] == "王 师 傅"


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "guard"}, {"password": "another long one"}])
async def test_what_an_administrator_changes_ends_the_users_sessions(desk: Office, change: dict[str, Any]) -> None:
    number = await desk.sign_up("王师傅", "manager")
    cookie = cookie_of(await desk.sign_in("王师傅"))
    assert await is_signed_in(desk, cookie)
    assert (await ask(desk, "PUT", f"users/{number}", change))[0] == 200
    assert not await is_signed_in(desk, cookie)
    assert (await desk.sign_in("王师傅")).status == (200 if "role" in change else 401)


async def test_somebody_shut_out_can_be_let_in_again(desk: Office) -> None:
    number = await desk.sign_up("王师傅", "guard")
    await ask(desk, "PUT", f"users/{number}", {"disabled": True})
    assert (await desk.sign_in("王师傅")).status == 401
    await ask(desk, "PUT", f"users/{number}", {"disabled": False})
    assert (await desk.sign_in("王师傅")).status == 200


async def test_a_lost_second_factor_is_taken_away(desk: Office) -> None:
    number = await desk.sign_up("王师傅", "guard")
    await desk.sign_in("王师傅")
    await enrol(desk)
    assert (await desk.sign_in("王师傅")).status == 401
    assert (await ask(desk, "PUT", f"users/{number}", {"drop_second_factor": True}))[1]["second_factor"] is False
    assert (await desk.sign_in("王师傅")).status == 200


async def test_the_last_administrator_stays(desk: Office) -> None:
    first = await desk.sign_up("first", "admin")
    for change in ({"disabled": True}, {"role": "manager"}):
        status, said = await ask(desk, "PUT", f"users/{first}", change)
        assert (status, said["error"]) == (409, "last_admin")
        assert (await trail(desk))[0] == ("admin", "change_user", "first", "last_admin")
    second = await desk.sign_up("second", "admin")
    assert (await ask(desk, "PUT", f"users/{second}", {"disabled": True}))[0] == 200
    assert (await ask(desk, "PUT", f"users/{first}", {"role": "viewer"}))[0] == 409, "one that is shut out is none"
    assert (await ask(desk, "PUT", f"users/{first}", {"password": "another long one"}))[0] == 200
    assert (await ask(desk, "PUT", f"users/{second}", {"disabled": False}))[0] == 200
    assert (await ask(desk, "PUT", f"users/{first}", {"role": "viewer"}))[0] == 200


# tokens


async def test_a_token_is_made_shown_once_and_revoked(desk: Office) -> None:
    status, made = await ask(desk, "POST", "tokens", {"name": "大屏", "role": "viewer"})
    assert status == 200
    headers = bearer(made["token"])
    assert (await desk.client.get("/api/v1/site", headers=headers)).status == 200
    _, listed = await ask(desk, "GET", "tokens")
    (row,) = [row for row in listed["items"] if row["name"] == "大屏"]
    assert made["token"] not in str(listed)
    assert (await ask(desk, "DELETE", f"tokens/{row['id']}"))[0] == 204
    assert (await ask(desk, "DELETE", f"tokens/{row['id']}"))[0] == 404
    assert (await desk.client.get("/api/v1/site", headers=headers)).status == 401
    assert [entry[1:] for entry in (await trail(desk))[:3]] == [
        ("revoke_token", str(row["id"]), "not_found"),
        ("revoke_token", "大屏", "done"),
        ("add_token", "大屏", "done"),
    ]


async def test_a_session_ends_with_its_token(desk: Office) -> None:
    signed = await desk.client.post("/api/v1/session", json={"token": "token-of-guard"}, headers=GUARD)
    assert await is_signed_in(desk, cookie_of(signed))
    _, listed = await ask(desk, "GET", "tokens")
    (row,) = [row for row in listed["items"] if row["name"] == "guard"]
    await ask(desk, "DELETE", f"tokens/{row['id']}")
    assert not await is_signed_in(desk, cookie_of(signed))


async def test_a_token_cannot_take_the_name_of_a_user(desk: Office) -> None:
    await desk.sign_up("王师傅", "guard")
    assert (await ask(desk, "POST", "tokens", {"name": "王师傅", "role": "admin"}))[0] == 409


# the audit trail


@pytest.mark.parametrize(
    "route", [r for r in (*API, *OTHER) if r.method != "GET" and r.role is not None and r.act], ids=lambda r: r.name
)
async def test_every_write_leaves_one_row_whatever_comes_of_it(desk: Office, route: Any) -> None:
    for role in ROLES:
        before = len(await trail(desk))
        answer = await desk.ask(path_of(route), role, route.method, json=BODIES.get(route.name), headers=GUARD)
        await answer.read()
        async with asyncio.timeout(10):
            while len(now := await trail(desk)) == before:
                pass  # a stream ends a moment before its row is there
        assert len(now) == before + 1
        actor, action, _, outcome = now[0]
        assert (actor, action) == (role, route.name)
        assert (outcome == "done") == (answer.status < 400)
        assert (outcome == "role") == (answer.status == 403)


def test_only_looking_at_a_text_is_no_act() -> None:
    assert [route.name for route in (*API, *OTHER) if not route.act] == ["draft", "merge"]


async def test_signing_in_is_in_the_trail_without_what_was_typed(desk: Office) -> None:
    await desk.sign_up("王师傅", "guard")
    await desk.sign_in("my secret password", "x")
    await desk.sign_in("王师傅", "a wrong secret")
    await desk.sign_in("王师傅")
    await desk.client.delete("/api/v1/session", headers=GUARD)
    rows = await trail(desk)
    assert rows[:4] == [
        ("王师傅", "sign_out", "", "done"),
        ("王师傅", "sign_in", "", "done"),
        ("", "sign_in", "王师傅", "wrong_password"),
        ("", "sign_in", "", "wrong_password"),
    ]
    answer = await desk.ask("/api/v1/audit", "manager")
    text = await answer.text()
    assert "secret" not in text
    assert PASSWORD not in text
    assert COOKIE not in text


async def test_the_trail_is_read_page_by_page(desk: Office) -> None:
    for number in range(5):
        await ask(desk, "POST", "tokens", {"name": f"token {number}", "role": "viewer"})
    seen, cursor = [], ""
    while cursor is not None:
        _, page = await ask(desk, "GET", f"audit?limit=2{cursor and f'&cursor={cursor}'}", role="manager")
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == 5 + len(ROLES)
    for query in ("limit=0", "limit=201", "limit=x", "cursor=-1", "cursor=99999999999999999999"):
        assert (await ask(desk, "GET", f"audit?{query}", role="manager"))[0] == 400
