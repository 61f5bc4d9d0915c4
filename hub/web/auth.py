"""Who is asking: bearer tokens for programs, server-side sessions for browsers, one table of roles for everything."""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from hub.journal.queries import token_hash
from hub.model.time import HOUR, MINUTE, Instant
from hub.web.routing import UserRole

if TYPE_CHECKING:
    from aiohttp import web

    from hub.journal.queries import Queries, TokenRow
    from hub.model.execution import Clock

COOKIE = "menshen_session"
#: A page that nobody touched for this long must sign in again.
IDLE = 12 * HOUR
#: A header that a form or an image of another origin cannot send (CSRF guard).
GUARD_HEADER = "X-Menshen"
#: Failed sign-ins of one address within a minute before it must wait (ASVS 6.3.1).
TRIES = 10
#: Sessions and addresses kept at most; the oldest go first.
KEPT = 1_000


class User(msgspec.Struct, frozen=True):
    """Somebody with a token, and what they may do."""

    name: str
    role: UserRole


class _Session(msgspec.Struct):
    token: bytes
    """Hash of the token it was opened with."""
    seen: Instant


class Doorkeeper:
    """Knows sessions and tokens. Sessions live in memory: a restarted hub asks browsers to sign in again."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self._sessions: dict[bytes, _Session] = {}
        self._failures: dict[str, deque[Instant]] = {}

    async def identify(self, request: web.Request) -> User | None:
        """Return who sent a request, by bearer token or by cookie."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return _user(await self._queries.token(token))
        value = token_hash(request.cookies.get(COOKIE, ""))
        session = self._sessions.get(value)
        if session is None or self._clock.now() - session.seen > IDLE:
            return None
        user = _user(await self._queries.holder(session.token))
        if user is None:  # its token was replaced
            self._sessions.pop(value, None)
            return None
        session.seen = self._clock.now()
        return user

    async def sign_in(self, token: str) -> tuple[User, str] | None:
        """Open a session; return the user and the value of the cookie."""
        user = _user(await self._queries.token(token))
        if user is None:
            return None
        value = secrets.token_urlsafe(32)
        if len(self._sessions) >= KEPT:
            del self._sessions[next(iter(self._sessions))]
        self._sessions[token_hash(value)] = _Session(token_hash(token), self._clock.now())
        return user, value

    def sign_out(self, request: web.Request) -> None:
        """Close the session of a request."""
        self._sessions.pop(token_hash(request.cookies.get(COOKIE, "")), None)

    def may_try(self, address: str) -> bool:
        """Tell whether an address may try to sign in now."""
        failures = self._failures.get(address, deque())
        while failures and self._clock.now() - failures[0] > MINUTE:
            failures.popleft()
        return len(failures) < TRIES

    def failed(self, address: str) -> None:
        """Count a failed sign-in."""
        if address not in self._failures and len(self._failures) >= KEPT:
            del self._failures[next(iter(self._failures))]
        self._failures.setdefault(address, deque(maxlen=TRIES)).append(self._clock.now())


def _user(row: TokenRow | None) -> User | None:
    return None if row is None else User(row.name, UserRole[row.role.upper()])
