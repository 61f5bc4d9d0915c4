"""Who is asking: bearer tokens for programs, sessions kept in the journal for browsers, one table of roles for all."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import msgspec
import structlog

from hub.journal import users
from hub.journal.queries import token_hash
from hub.model.errors import JournalError
from hub.model.time import MINUTE
from hub.web.proofs import Passwords
from hub.web.routing import UserRole
from hub.web.tries import Tries

if TYPE_CHECKING:
    import sqlite3

    from aiohttp import web

    from hub.journal.queries import Queries
    from hub.journal.store import Journal
    from hub.model.execution import Clock
    from hub.model.time import Instant

log = structlog.get_logger()

COOKIE = "menshen_session"
#: A header that a form or an image of another origin cannot send (CSRF guard).
GUARD_HEADER = "X-Menshen"
#: How exactly it is kept when a session was last used; each note of it is a commit.
NOTED = MINUTE


class User(msgspec.Struct, frozen=True):
    """Somebody with an account or a token, and what they may do."""

    name: str
    role: UserRole
    account: int | None = None
    """Number of the account; None for a token."""
    factor_due: Instant | None = None
    """From when they may do nothing but set up a second factor."""


class Doorkeeper:
    """Knows sessions and tokens. Sessions are in the journal, so that a restarted hub asks nobody to sign in again."""

    def __init__(self, journal: Journal, queries: Queries, clock: Clock) -> None:
        self._journal = journal
        self._queries = queries
        self._clock = clock
        self.tries = Tries(clock)
        self.passwords = Passwords()

    def close(self) -> None:
        """End the threads that hash."""
        self.passwords.close()

    async def identify(self, request: web.Request) -> User | None:
        """Return who sent a request, by bearer token or by cookie."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            row = await self._queries.token(token)
            return None if row is None else User(row.name, UserRole[row.role.upper()])
        digest, now = session_of(request), self._clock.now()
        if digest is None:
            return None
        found = await self._queries.ask(lambda db: users.session(db, digest, now))
        if found is None:
            return None
        if now - found.seen_at > NOTED:
            try:
                await self._journal.execute(lambda db: users.touch_session(db, digest, now))
            except JournalError as error:  # a full disk must not shut out those who could make room
                log.warning("session.not_noted", reason=str(error))
        return User(found.name, UserRole[found.role.upper()], found.user, found.factor_due)

    async def watcher(self, request: web.Request) -> User | None:
        """Return who may go on watching; None also for who must set up a second factor first."""
        user = await self.identify(request)
        due = None if user is None else user.factor_due
        return None if due is not None and self._clock.now() >= due else user

    async def enter(self, request: web.Request, *, account: int | None = None, token: bytes | None = None) -> str:
        """Open a session in the place of the one the request came with (fixation); return the value of the cookie."""
        value, now, before = secrets.token_urlsafe(32), self._clock.now(), session_of(request)

        def opened(db: sqlite3.Connection) -> None:
            if before is not None:
                users.close_session(db, before)
            users.open_session(db, token_hash(value), now, user=account, token=token)

        await self._journal.execute(opened)
        return value

    async def sign_out(self, request: web.Request) -> None:
        """Close the session of a request."""
        digest = session_of(request)
        if digest is not None:
            await self._journal.execute(lambda db: users.close_session(db, digest))


def session_of(request: web.Request) -> bytes | None:
    """Return the hash of the cookie that a request came with."""
    value = request.cookies.get(COOKIE, "")
    return token_hash(value) if value else None
