"""Sessions (S12): whatever ends one ends it at once, for requests and for a page that watches; none can be given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import WSMsgType

from hub.model.time import DAY, HOUR
from hub.web.auth import COOKIE
from tests.kit.office import GUARD, PASSWORD, Office, office

NAME = "陈经理"
#: Seconds within which a page hears what it is to hear.
SOON = 5.0


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as found:
        yield found


class Page:
    """A browser of its own: its cookie, and its socket."""

    def __init__(self, desk: Office, http: aiohttp.ClientSession) -> None:
        self._desk, self.http = desk, http

    async def sign_in(self, password: str = PASSWORD) -> str:
        """Sign in; return the cookie that came back."""
        wanted = {"name": NAME, "password": password}
        async with self.http.post(self.url("session"), json=wanted, headers=GUARD) as answer:
            assert answer.status == 200, await answer.text()
            return answer.cookies[COOKIE].value

    async def status(self, path: str = "session") -> int:
        """Ask with the cookie; return the status."""
        async with self.http.get(self.url(path)) as answer:
            return answer.status

    async def watch(self) -> aiohttp.ClientWebSocketResponse:
        """Open the socket and hear the first of what it is to hear."""
        socket = await self.http.ws_connect(self.url("ws"))
        await socket.send_json({"subscribe": ["site"]})
        assert (await socket.receive(SOON)).type is WSMsgType.TEXT
        return socket

    def url(self, path: str) -> str:
        """Return an address of the API."""
        return str(self._desk.client.make_url(f"/api/v1/{path}"))


@pytest.fixture
async def page(desk: Office) -> AsyncIterator[Page]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield Page(desk, http)


async def signed_out(desk: Office, page: Page, user: int) -> None:
    async with page.http.delete(page.url("session"), headers=GUARD) as answer:
        assert answer.status == 204


async def another_password(desk: Office, page: Page, user: int) -> None:
    await desk.sign_in(NAME)
    wanted = {"password": PASSWORD, "new": "another long enough one"}
    answer = await desk.client.put("/api/v1/account/password", json=wanted, headers=GUARD)
    assert answer.status == 204


def changed(**what: object) -> Callable[[Office, Page, int], Awaitable[None]]:
    async def change(desk: Office, page: Page, user: int) -> None:
        answer = await desk.ask(f"/api/v1/users/{user}", "admin", "PUT", json=what, headers=GUARD)
        assert answer.status in {200, 204}, await answer.text()

    return change


def later(time: int) -> Callable[[Office, Page, int], Awaitable[None]]:
    async def wait(desk: Office, page: Page, user: int) -> None:
        desk.clock.advance(time + 1)

    return wait


ENDS = {
    "signed out": signed_out,
    "another password": another_password,
    "another role": changed(role="viewer"),
    "a password from the administrator": changed(password="given by somebody else"),
    "shut out": changed(disabled=True),
    "unused for 12 hours": later(12 * HOUR),
    "seven days": later(7 * DAY),
}


@pytest.mark.parametrize("how", ENDS)
async def test_what_ends_a_session_ends_it_everywhere(
    desk: Office, page: Page, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that watches is asked again after a second; here each time, so that nothing slips through meanwhile."""
    monkeypatch.setattr("hub.web.live.AGAIN", 0.0)
    user = await desk.sign_up(NAME, "manager")
    cookie = await page.sign_in()
    socket = await page.watch()
    assert await page.status() == 200
    await ENDS[how](desk, page, user)
    desk.context.live.problems_changed()  # something to tell
    heard = await socket.receive(SOON)
    assert heard.type is WSMsgType.CLOSE, "it heard of the change"
    assert heard.data == 1008
    page.http.cookie_jar.update_cookies({COOKIE: cookie}, desk.client.make_url("/"))  # as a thief keeps it
    assert await page.status() == 401
    with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
        await page.http.ws_connect(page.url("ws"))


async def test_a_session_that_goes_on_is_told(desk: Office, page: Page) -> None:
    """The test above could not fail if no page ever heard of anything."""
    await desk.sign_up(NAME, "manager")
    await page.sign_in()
    socket = await page.watch()
    desk.context.live.problems_changed()
    assert (await socket.receive(SOON)).type is WSMsgType.TEXT


async def test_a_session_cannot_be_given_to_somebody(desk: Office, page: Page) -> None:
    """Fixation: a cookie that an attacker planted is not taken over, nor one of a session before."""
    await desk.sign_up(NAME, "manager")
    page.http.cookie_jar.update_cookies({COOKIE: "planted"}, desk.client.make_url("/"))
    first = await page.sign_in()
    second = await page.sign_in()
    assert len({"planted", first, second}) == 3
    assert await page.status() == 200
    for old in ("planted", first):
        page.http.cookie_jar.update_cookies({COOKIE: old}, desk.client.make_url("/"))
        assert await page.status() == 401
