"""Signing in: first run, passwords, second factor, sessions that end when they must, guessing that leads nowhere."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import ClassVar, Literal

import aiohttp
import pyotp
import pytest
from argon2 import PasswordHasher

from hub.journal import users
from hub.journal.queries import token_hash
from hub.model.time import DAY, HOUR, MINUTE, SECOND, Instant, isoformat
from hub.web import proofs
from hub.web.auth import COOKIE
from hub.web.proofs import plain_code
from hub.web.tries import TRIES
from tests.kit.office import GUARD, PASSWORD, Office

NAME = "陈经理"
FIRST = {"code": "abcd efgh", "name": NAME, "password": PASSWORD}


async def make_first_code(desk: Office, code: str = "ABCD-EFGH") -> None:
    digest, now = token_hash(plain_code(code)), desk.clock.now()
    assert await desk.context.journal.answer(lambda db: users.set_first_code(db, digest, now))


async def post(desk: Office, path: str, body: object, method: str = "POST") -> tuple[int, str]:
    """Send with the cookie; return the status and the word of the refusal."""
    answer = await desk.client.request(method, f"/api/v1/{path}", json=body, headers=GUARD)
    said = await answer.json() if answer.status != 204 else {}
    return answer.status, said.get("error", "")


async def is_signed_in(desk: Office, cookie: str | None = None) -> bool:
    """Ask with the cookie of the client, or with another one."""
    if cookie is None:
        return (await desk.client.get("/api/v1/session")).status == 200
    url, headers = desk.client.make_url("/api/v1/session"), {"Cookie": f"{COOKIE}={cookie}"}
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as plain:
        return (await plain.get(url, headers=headers)).status == 200


def cookie_of(answer: aiohttp.ClientResponse) -> str:
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value


async def enrol(desk: Office) -> tuple[pyotp.TOTP, list[str]]:
    """Set up a second factor for who is signed in."""
    begun = await desk.client.post("/api/v1/account/second-factor", json={"password": PASSWORD}, headers=GUARD)
    secret = (await begun.json())["secret"]
    code = pyotp.TOTP(secret).at(desk.clock.now() // SECOND)
    done = await desk.client.put("/api/v1/account/second-factor", json={"code": code}, headers=GUARD)
    assert done.status == 200
    return pyotp.TOTP(secret), (await done.json())["codes"]


# first run


async def test_the_first_administrator_needs_the_code_of_the_console(desk: Office) -> None:
    assert await (await desk.client.get("/api/v1/first-run")).json() == {"open": False}
    assert await post(desk, "first-run", FIRST) == (422, "wrong_code")
    await make_first_code(desk)
    assert await (await desk.client.get("/api/v1/first-run")).json() == {"open": True}
    assert await post(desk, "first-run", {**FIRST, "code": "ABCD-EFGJ"}) == (422, "wrong_code")
    assert await post(desk, "first-run", {**FIRST, "password": "1234567890"}) == (422, "password_known")
    assert await post(desk, "first-run", FIRST) == (200, "")
    assert await (await desk.client.get("/api/v1/session")).json() == {
        "name": NAME, "role": "admin", "account": True, "factor_due": isoformat(Instant(desk.clock.now() + 7 * DAY))
    }  # fmt: skip
    assert await (await desk.client.get("/api/v1/first-run")).json() == {"open": False}
    assert await post(desk, "first-run", {**FIRST, "name": "another"}) == (422, "wrong_code"), "used up"


async def test_the_code_of_the_first_run_ends(desk: Office) -> None:
    await make_first_code(desk)
    desk.clock.advance(1 * DAY + 1)
    assert await post(desk, "first-run", FIRST) == (422, "wrong_code")
    await make_first_code(desk, "WXYZ-2345")
    assert await post(desk, "first-run", FIRST) == (422, "wrong_code"), "only the last one is in force"
    assert await post(desk, "first-run", {**FIRST, "code": "WXYZ-2345"}) == (200, "")
    digest, now = token_hash("ABCDEFGH"), desk.clock.now()
    assert not await desk.context.journal.answer(lambda db: users.set_first_code(db, digest, now))


async def test_of_two_at_once_one_becomes_the_administrator(desk: Office) -> None:
    await make_first_code(desk)
    answers = await asyncio.gather(*(post(desk, "first-run", {**FIRST, "name": name}) for name in ("first", "second")))
    assert sorted(status for status, _ in answers) in ([200, 409], [200, 422])
    assert len((await (await desk.ask("/api/v1/users", "admin")).json())["items"]) == 1


async def test_the_code_of_the_first_run_cannot_be_guessed(desk: Office) -> None:
    await make_first_code(desk)
    for number in range(TRIES):
        assert await post(desk, "first-run", {**FIRST, "code": f"AAAA-AA{number:02}"}) == (422, "wrong_code")
    assert await post(desk, "first-run", FIRST) == (429, "too_many_tries")


# passwords and sessions


@pytest.mark.parametrize("given", [NAME, f" {NAME} "])
async def test_a_person_signs_in_and_out(desk: Office, given: str) -> None:
    await desk.sign_up(NAME, "manager")
    signed = await desk.sign_in(given)
    assert await signed.json() == {"name": NAME, "role": "manager", "account": True, "factor_due": None}
    cookie = signed.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert await is_signed_in(desk)
    value = cookie_of(signed)
    assert await post(desk, "session", None, "DELETE") == (204, "")
    assert not await is_signed_in(desk, value), "the session is gone, not only its cookie"


async def test_case_and_composition_make_no_difference_where_they_should_not(desk: Office) -> None:
    await desk.sign_up("Café", "guard", "caf\u00e9 at the gate")
    assert (await desk.sign_in("cafe\u0301", "cafe\u0301 at the gate")).status == 200
    assert (await desk.sign_in("CAFÉ", "Café at the gate")).status == 401


async def test_each_sign_in_is_a_new_session_and_the_one_before_it_ends(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    planted = "chosen-by-somebody-else"
    desk.client.session.cookie_jar.update_cookies({COOKIE: planted})
    first = cookie_of(await desk.sign_in(NAME))
    assert first != planted
    assert not await is_signed_in(desk, planted)
    assert cookie_of(await desk.sign_in(NAME)) != first
    assert not await is_signed_in(desk, first)


async def test_a_session_ends_unused_and_in_any_case(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    await desk.sign_in(NAME)
    for _ in range(7 * 24 // 12):
        desk.clock.advance(12 * HOUR)
        assert await is_signed_in(desk)
    desk.clock.advance(1 * MINUTE)
    assert not await is_signed_in(desk)
    await desk.sign_in(NAME)
    desk.clock.advance(12 * HOUR + 1)
    assert not await is_signed_in(desk)


async def test_sessions_survive_a_restart_and_are_kept_as_hashes(desk: Office) -> None:
    from hub.web.auth import Doorkeeper

    await desk.sign_up(NAME, "guard")
    value = cookie_of(await desk.sign_in(NAME))
    kept = await desk.context.queries.ask(lambda db: "\n".join(str(row) for row in db.iterdump()))
    assert value not in kept
    assert PASSWORD not in kept
    assert "$argon2id$" in kept
    fresh = Doorkeeper(desk.context.journal, desk.context.queries, desk.clock)

    class Request:
        headers: dict[str, str] = {}  # noqa: RUF012
        cookies = {COOKIE: value}  # noqa: RUF012

    found = await fresh.identify(Request())  # type: ignore[arg-type]
    fresh.close()
    assert found is not None
    assert found.name == NAME


async def test_the_oldest_of_very_many_sessions_goes(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    values = []
    for _ in range(users.PAGES + 1):
        desk.client.session.cookie_jar.clear()
        values.append(cookie_of(await desk.sign_in(NAME)))
        desk.clock.advance(SECOND)
    desk.client.session.cookie_jar.clear()
    assert [await is_signed_in(desk, value) for value in values] == [False] + [True] * users.PAGES


async def test_a_new_password_ends_the_other_sessions(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    other = cookie_of(await desk.sign_in(NAME))
    desk.client.session.cookie_jar.clear()
    await desk.sign_in(NAME)
    change = {"password": PASSWORD, "new": "another long one"}
    assert await post(desk, "account/password", {**change, "password": "wrong"}, "PUT") == (422, "wrong_password")
    assert await post(desk, "account/password", {**change, "new": "short"}, "PUT") == (422, "password_short")
    assert await post(desk, "account/password", change, "PUT") == (204, "")
    assert await is_signed_in(desk)
    assert not await is_signed_in(desk, other)
    assert (await desk.sign_in(NAME)).status == 401
    assert (await desk.sign_in(NAME, change["new"])).status == 200


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "short"), ("9 letters", "short"), ("x" * 129, "long"), ("aaaabbbbcccc", "simple"), ("1234567890", "known"),
        ("QwertyUIOP", "known"), ("wangshifu1", "name"), ("0987654321", "known"), ("门" * 9, "short"),
        ("correct horse", None), ("四个字的密码加一句", "short"), ("四个字的密码再加一句话", None),
    ],
)  # fmt: skip
def test_what_is_easy_to_guess_is_no_password(password: str, why: str | None) -> None:
    assert proofs.weakness(password, "wangshifu") == why


# second factor


async def test_a_second_factor_is_asked_for_and_used_once(desk: Office) -> None:
    await desk.sign_up(NAME, "admin")
    await desk.sign_in(NAME)
    totp, _ = await enrol(desk)
    assert (await (await desk.client.get("/api/v1/account")).json())["second_factor"] is True
    now = desk.clock.now() // SECOND

    async def refused(code: str) -> str:
        return str((await (await desk.sign_in(NAME, code=code)).json()).get("error", ""))

    assert await refused("") == "code_needed"
    assert await refused(totp.at(now)) == "wrong_code", "it was used to set up the factor"
    assert await refused(totp.at(now - 30)) == "wrong_code", "older than one that was used"
    assert await refused(totp.at(now + 30)) == "", "a clock may be a little ahead"
    assert await refused(totp.at(now + 30)) == "wrong_code"
    desk.clock.advance(90 * SECOND)
    assert await refused(totp.at(now + 30)) == "wrong_code"
    assert await refused(totp.at(now + 150)) == "wrong_code", "not as far ahead as that"
    code = totp.at(now + 90)
    assert await refused(f"{code[:3]} {code[3:]}") == ""
    assert (await (await desk.sign_in(NAME, "wrong password", code=totp.at(now + 120))).json())["error"] == (
        "wrong_password"
    )


async def test_a_code_that_two_send_at_once_lets_one_in(desk: Office) -> None:
    await desk.sign_up(NAME, "admin")
    await desk.sign_in(NAME)
    totp, _ = await enrol(desk)
    desk.clock.advance(MINUTE)
    code = totp.at(desk.clock.now() // SECOND)
    answers = await asyncio.gather(*(desk.sign_in(NAME, code=code) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


async def test_recovery_codes_work_once_each(desk: Office) -> None:
    await desk.sign_up(NAME, "admin")
    await desk.sign_in(NAME)
    _, codes = await enrol(desk)
    assert len(set(codes)) == proofs.RECOVERY_CODES
    assert (await desk.sign_in(NAME, code=codes[0].lower())).status == 200
    assert (await desk.sign_in(NAME, code=codes[0])).status == 401
    assert (await desk.sign_in(NAME, code=codes[1].replace("-", " "))).status == 200
    shown = await (await desk.client.get("/api/v1/account")).json()
    assert shown["recovery_left"] == proofs.RECOVERY_CODES - 2
    kept = await desk.context.queries.ask(lambda db: "\n".join(str(row) for row in db.iterdump()))
    assert not any(plain_code(code) in kept or code in kept for code in codes)


async def test_a_second_factor_is_set_up_and_taken_away_with_the_password(desk: Office) -> None:
    await desk.sign_up(NAME, "admin")
    await desk.sign_in(NAME)
    assert await post(desk, "account/second-factor", {"password": "wrong"}) == (422, "wrong_password")
    assert await post(desk, "account/second-factor", {"code": "123456"}, "PUT") == (409, "not_begun")
    begun = await desk.client.post("/api/v1/account/second-factor", json={"password": PASSWORD}, headers=GUARD)
    shown = await begun.json()
    assert pyotp.parse_uri(shown["uri"]).secret == shown["secret"]
    assert shown["picture"].startswith("data:image/svg+xml")
    assert await post(desk, "account/second-factor", {"code": "000000"}, "PUT") == (422, "wrong_code")
    assert (await desk.sign_in(NAME)).status == 200, "not in force before its first code"
    await enrol(desk)
    assert (await desk.sign_in(NAME)).status == 401
    assert await post(desk, "account/second-factor/removal", {"password": "wrong"}) == (422, "wrong_password")
    assert await post(desk, "account/second-factor/removal", {"password": PASSWORD}) == (204, "")
    assert (await desk.sign_in(NAME)).status == 200


async def test_a_token_has_no_account(desk: Office) -> None:
    await desk.client.post("/api/v1/session", json={"token": "token-of-admin"}, headers=GUARD)
    assert await post(desk, "account/second-factor", {"password": PASSWORD}) == (409, "no_account")


# guessing


async def test_ten_tries_a_minute_for_an_account_whatever_the_case(desk: Office) -> None:
    await desk.sign_up("Wang", "guard")
    tried = [(await desk.sign_in(name, "guess")).status for name in ("wang", "WANG") * 6]
    assert tried == [401] * TRIES + [429] * 2
    assert (await desk.sign_in("Wang")).status == 429, "the right one, too, so that nobody learns it is right"
    assert (await desk.ask("/api/v1/site")).status == 200, "who has a token is not locked out"
    desk.clock.advance(MINUTE + 1)
    assert (await desk.sign_in("Wang")).status == 200


async def test_a_thousand_tries_at_once_are_ten(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    answers = await asyncio.gather(*(desk.sign_in(NAME, f"guess {number}") for number in range(300)))
    assert sum(answer.status == 401 for answer in answers) == TRIES
    assert {answer.status for answer in answers} == {401, 429}


async def test_a_forged_address_is_not_believed(desk: Office) -> None:
    for number in range(TRIES + 1):
        answer = await desk.client.post(
            "/api/v1/session",
            json={"name": f"user {number}", "password": "guess"},
            headers={**GUARD, "X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}"},
        )
        assert answer.status == (429 if number == TRIES else 401)


async def test_guessing_does_not_end_a_session_that_is_open(desk: Office) -> None:
    await desk.sign_up(NAME, "guard")
    await desk.sign_in(NAME)
    for _ in range(TRIES + 5):
        await desk.sign_in(NAME, "guess")
    assert await is_signed_in(desk)


async def test_a_name_that_nobody_has_answers_like_one_that_somebody_has(desk: Office) -> None:
    """By text and by work: a name that nobody has is hashed, too."""
    await desk.sign_up(NAME, "guard")
    gone = await desk.sign_up("gone", "guard")
    await desk.ask(f"/api/v1/users/{gone}", "admin", "PUT", json={"disabled": True}, headers=GUARD)
    answers = {}
    for name, password in ((NAME, "guess"), ("nobody", "guess"), ("gone", PASSWORD), ("gone", "guess")):
        answer = await desk.sign_in(name, password)
        answers[name, password] = (answer.status, await answer.text(), sorted(answer.headers))
    assert len({str(answer) for answer in answers.values()}) == 1


class Counted(PasswordHasher):
    """The real hasher, which remembers what it compared with."""

    seen: ClassVar[list[str]] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
        self.seen.append(str(hash))
        return super().verify(hash, password)


async def test_a_name_that_nobody_has_costs_as_much_work(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    real = proofs._HASHER
    counted = Counted(time_cost=real.time_cost, memory_cost=real.memory_cost, parallelism=real.parallelism)
    monkeypatch.setattr(proofs, "_HASHER", counted)
    counted.seen.clear()
    await desk.sign_up(NAME, "guard")
    await desk.sign_in(NAME, "guess")
    await desk.sign_in("nobody", "guess")
    known, stranger = counted.seen
    assert known.split("$")[:4] == stranger.split("$")[:4] == ["", "argon2id", "v=19", "m=19456,t=2,p=1"]
    assert len(known) == len(stranger)


async def test_hashing_holds_up_nothing(desk: Office) -> None:
    """As many as may wait at once, and the engine and the journal go on meanwhile."""
    passwords = desk.context.doorkeeper.passwords
    waiting = [asyncio.ensure_future(passwords.verify(None, "x")) for _ in range(proofs.WAITING)]
    await asyncio.sleep(0)
    assert (await desk.ask("/api/v1/site/modes/test", "guard", "PUT", json={"on": True}, headers=GUARD)).status == 200
    assert not all(task.done() for task in waiting), "the switch had to wait for every hash"
    await asyncio.gather(*waiting)


async def test_too_many_who_wait_for_a_hash_are_sent_away(desk: Office) -> None:
    passwords = desk.context.doorkeeper.passwords
    answers = await asyncio.gather(
        *(passwords.verify(None, "x") for _ in range(proofs.WAITING + 3)), return_exceptions=True
    )
    assert sum(answer is False for answer in answers) == proofs.WAITING
    assert sum(getattr(answer, "status", 0) == 503 for answer in answers) == 3


# administrators need a second factor


async def test_after_seven_days_an_administrator_may_only_set_up_the_second_factor(desk: Office) -> None:
    await desk.sign_up(NAME, "admin")
    assert (await desk.sign_in(NAME)).status == 200
    desk.clock.advance(7 * DAY - 1)
    assert (await desk.sign_in(NAME)).status == 200
    assert (await desk.client.get("/api/v1/users")).status == 200
    desk.clock.advance(1)
    refused = await desk.client.get("/api/v1/users")
    assert (refused.status, (await refused.json())["error"]) == (403, "factor_due")
    assert (await desk.client.get("/api/v1/site")).status == 403, "not even what a viewer may see"
    assert await post(desk, "site/modes/test", {"on": True}, "PUT") == (403, "factor_due")
    assert (await desk.client.get("/api/v1/ws")).status == 403
    assert await post(desk, "account/second-factor/removal", {"password": PASSWORD}) == (403, "factor_due")
    due = (await (await desk.client.get("/api/v1/session")).json())["factor_due"]
    assert due == isoformat(desk.clock.now())
    await enrol(desk)
    assert (await desk.client.get("/api/v1/users")).status == 200
    assert (await (await desk.client.get("/api/v1/session")).json())["factor_due"] is None


@pytest.mark.parametrize("role", ["manager", "guard", "viewer"])
async def test_nobody_else_needs_a_second_factor(desk: Office, role: str) -> None:
    await desk.sign_up(NAME, role)
    desk.clock.advance(30 * DAY)
    signed = await desk.sign_in(NAME)
    assert (signed.status, (await signed.json())["factor_due"]) == (200, None)
    assert (await desk.client.get("/api/v1/site")).status == 200


async def test_a_token_of_an_administrator_needs_no_second_factor(desk: Office) -> None:
    desk.clock.advance(30 * DAY)
    assert (await desk.ask("/api/v1/users", "admin")).status == 200
    assert (await desk.client.post("/api/v1/session", json={"token": "token-of-admin"}, headers=GUARD)).status == 200
    assert (await desk.client.get("/api/v1/users")).status == 200


async def test_who_drops_the_factor_or_is_made_administrator_late_has_no_grace_left(desk: Office) -> None:
    number = await desk.sign_up(NAME, "guard")
    desk.clock.advance(8 * DAY)
    changed = await desk.ask(f"/api/v1/users/{number}", "admin", "PUT", json={"role": "admin"}, headers=GUARD)
    assert changed.status in {200, 204}, await changed.text()
    assert (await desk.sign_in(NAME)).status == 200
    assert (await desk.client.get("/api/v1/site")).status == 403
    await enrol(desk)
    assert await post(desk, "account/second-factor/removal", {"password": PASSWORD}) == (204, "")
    assert (await desk.client.get("/api/v1/site")).status == 403
