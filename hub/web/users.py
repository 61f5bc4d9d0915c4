"""What administrators do with users and tokens, and the audit trail."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, cast

import msgspec
from aiohttp import web

from hub.journal import users
from hub.journal.queries import drop_token, put_token
from hub.web import account_schema as a
from hub.web import schema
from hub.web.account import check_password, new_name
from hub.web.audit import audit
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import MOST, PAGE, answer, body, number
from hub.web.present import when
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    import sqlite3

    from hub.journal.queries import AuditRow, TokenRow
    from hub.journal.users import UserRow


async def list_users(request: web.Request) -> web.Response:
    """List users by name."""
    found = await request.app[CONTEXT].queries.ask(users.users)
    return answer(schema.Page([_user(row) for row in found]))


async def add_user(request: web.Request) -> web.Response:
    """Add a user."""
    context, wanted = request.app[CONTEXT], cast("a.UserIn", await body(request, a.UserIn))
    name = new_name(wanted.name)
    check_password(wanted.password, name)
    kept, now = await context.doorkeeper.passwords.hash(wanted.password), context.clock.now()
    added = await context.journal.answer(lambda db: users.add_user(db, name, wanted.role, kept, now))
    if added is None:
        raise Refusal(409, "taken", "a user or a token has this name")
    await audit(request, {"role": wanted.role}, target=name)
    return answer(_user(await _one(request, added)))


async def change_user(request: web.Request) -> web.Response:
    """Change role or password, shut out or let in again, take a lost second factor away."""
    context, wanted = request.app[CONTEXT], cast("a.UserChange", await body(request, a.UserChange))
    user = await _one(request, _id(request))
    kept = None
    if wanted.password is not None:
        check_password(wanted.password, user.name)
        kept = await context.doorkeeper.passwords.hash(wanted.password)

    def change(db: sqlite3.Connection) -> bool:
        if not users.change_user(db, user.id, role=wanted.role, disabled=wanted.disabled):
            return False
        if kept is not None:
            users.set_password(db, user.id, kept)
        if wanted.drop_second_factor:
            users.drop_factor(db, user.id)
        return True

    what = {key: value for key, value in msgspec.structs.asdict(wanted).items() if value is not None}
    if kept is not None:
        what["password"] = True  # that it changed, not to what
    if not await context.journal.answer(change):
        await audit(request, what, target=user.name, outcome="last_admin")
        raise Refusal(409, "last_admin", "the hub needs an administrator; make another one first")
    await audit(request, what, target=user.name)
    return answer(_user(await _one(request, user.id)))


async def list_tokens(request: web.Request) -> web.Response:
    """List who holds tokens."""
    return answer(schema.Page([_token(row) for row in await request.app[CONTEXT].queries.tokens()]))


async def add_token(request: web.Request) -> web.Response:
    """Make a token; it is shown once."""
    context, wanted = request.app[CONTEXT], cast("a.NewToken", await body(request, a.NewToken))
    name, value, now = new_name(wanted.name), secrets.token_urlsafe(32), context.clock.now()

    def put(db: sqlite3.Connection) -> bool:
        if users.user_named(db, name) is not None:
            return False
        put_token(db, name, wanted.role, value, now)
        return True

    if not await context.journal.answer(put):
        raise Refusal(409, "taken", "a user has this name")
    await audit(request, {"role": wanted.role}, target=name)
    return answer(a.NewTokenOut(value))


async def revoke_token(request: web.Request) -> web.Response:
    """Revoke a token; sessions that were opened with it end."""
    wanted = _id(request)
    name = await request.app[CONTEXT].journal.answer(lambda db: drop_token(db, wanted))
    if name is None:
        raise Refusal(404, "not_found", "no such token")
    await audit(request, target=name)
    return web.Response(status=204)


async def list_audit(request: web.Request) -> web.Response:
    """List what people did, newest first."""
    query = request.query
    limit = number(query.get("limit"), "limit", PAGE, MOST)
    before = number(query.get("cursor"), "cursor", 0, 1 << 62) or None
    rows = await request.app[CONTEXT].queries.audit(limit, before)
    return answer(schema.Page([_audit(row) for row in rows], next=str(rows[-1].seq) if len(rows) == limit else None))


async def _one(request: web.Request, wanted: int) -> UserRow:
    found = await request.app[CONTEXT].queries.ask(lambda db: users.user_numbered(db, wanted))
    if found is None:
        raise Refusal(404, "not_found", "no such user")
    return found


def _id(request: web.Request) -> int:
    name = request.match_info["id"]
    if not (name.isascii() and name.isdigit() and len(name) < 19):
        raise Refusal(404, "not_found", "no such number")
    return int(name)


def _user(row: UserRow) -> a.UserOut:
    return a.UserOut(
        id=row.id,
        name=row.name,
        role=cast("schema.RoleName", row.role),
        disabled=row.disabled,
        second_factor=row.factor is not None,
        created_at=when(row.created_at) or "",
        seen_at=when(row.seen_at),
    )


def _token(row: TokenRow) -> a.TokenOut:
    return a.TokenOut(row.id, row.name, cast("schema.RoleName", row.role), when(row.created_at) or "")


def _audit(row: AuditRow) -> a.AuditOut:
    at = when(row.at) or ""
    return a.AuditOut(row.seq, at, row.actor, row.action, row.target, row.address, row.outcome, row.body)


_MANAGER, _ADMIN = UserRole.MANAGER, UserRole.ADMIN
USERS: tuple[Route, ...] = (
    Route("GET", "/api/v1/users", "users", "Users", _ADMIN, list_users, returns=schema.Page[a.UserOut]),
    Route("POST", "/api/v1/users", "add_user", "Add a user", _ADMIN, add_user, returns=a.UserOut, takes=a.UserIn),
    Route("PUT", "/api/v1/users/{id}", "change_user", "Change a user", _ADMIN, change_user, returns=a.UserOut,
          takes=a.UserChange),
    Route("GET", "/api/v1/tokens", "tokens", "Who holds tokens", _ADMIN, list_tokens, returns=schema.Page[a.TokenOut]),
    Route("POST", "/api/v1/tokens", "add_token", "Make a token", _ADMIN, add_token, returns=a.NewTokenOut,
          takes=a.NewToken),
    Route("DELETE", "/api/v1/tokens/{id}", "revoke_token", "Revoke a token", _ADMIN, revoke_token, status=204),
    Route("GET", "/api/v1/audit", "audit", "What people did, newest first", _MANAGER, list_audit,
          returns=schema.Page[a.AuditOut], query=(("limit", "1 to 200"), ("cursor", "`next` of a page"))),
)  # fmt: skip
