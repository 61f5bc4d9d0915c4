"""Signing in and out, the first run, and what people do with their own account."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aiohttp import web

from hub.journal import users
from hub.journal.queries import token_hash
from hub.model.time import Instant
from hub.web import account_schema as a
from hub.web import proofs, schema
from hub.web.audit import USER, audit
from hub.web.auth import COOKIE, session_of
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import answer, body
from hub.web.present import when
from hub.web.routing import Route, UserRole

if TYPE_CHECKING:
    from hub.journal.users import UserRow


async def sign_in(request: web.Request) -> web.Response:
    """Open a session."""
    wanted: a.SignIn = await body(request, a.SignIn)
    if wanted.token is not None:
        return await _by_token(request, wanted.token)
    if wanted.name is None or wanted.password is None:
        raise Refusal(400, "bad_request", "either a token, or a name and a password")
    return await _by_password(request, proofs.name_of(wanted.name), wanted.password, wanted.code or "")


async def _by_token(request: web.Request, token: str) -> web.Response:
    context, address = request.app[CONTEXT], _address(request)
    if not context.doorkeeper.tries.take(address):
        raise _later()
    row = await context.queries.token(token)
    if row is None:
        await audit(request, actor="", outcome="wrong_token")
        raise Refusal(401, "wrong_token", "this token is not known; make one with `menshen users token`")
    context.doorkeeper.tries.give_back(address)
    cookie = await context.doorkeeper.enter(request, token=token_hash(token))
    await audit(request, {"by": "token"}, actor=row.name)
    return _entered(request, schema.SessionOut(row.name, cast("schema.RoleName", row.role), account=False), cookie)


async def _by_password(request: web.Request, name: str, password: str, code: str) -> web.Response:
    context, keys = request.app[CONTEXT], (_address(request), _account(name))
    if not context.doorkeeper.tries.take(*keys):
        raise _later()
    user = await context.queries.ask(lambda db: users.user_named(db, name))
    right = await context.doorkeeper.passwords.verify(None if user is None else user.password, password)
    if user is None or user.disabled or not right:
        # what is no account may be a password in the wrong field: it is not kept
        target = "" if user is None else user.name
        await audit(request, actor="", target=target, outcome="wrong_password")
        raise Refusal(401, "wrong_password", "wrong name or password")
    by = "password"
    if user.factor is not None:
        if not code:
            context.doorkeeper.tries.give_back(*keys)
            raise Refusal(401, "code_needed", "the code of the second factor is needed, too")
        by = await _second_factor(request, user, code)
    context.doorkeeper.tries.give_back(*keys)
    cookie = await context.doorkeeper.enter(request, account=user.id)
    await audit(request, {"by": by}, actor=user.name)
    role, due = cast("schema.RoleName", user.role), users.factor_due(user)
    return _entered(request, schema.SessionOut(user.name, role, account=True, factor_due=when(due)), cookie)


async def _second_factor(request: web.Request, user: UserRow, code: str) -> str:
    """Use up a code, and return what kind it was. Raises Refusal."""
    context, plain = request.app[CONTEXT], proofs.plain_code(code)
    step = proofs.step_of(user.factor or "", "".join(code.split()), context.clock.now())
    if step is not None and await context.journal.answer(lambda db: users.use_step(db, user.id, step)):
        return "password+code"
    if await context.journal.answer(lambda db: users.use_recovery(db, user.id, token_hash(plain))):
        return "password+recovery"
    await audit(request, actor="", target=user.name, outcome="wrong_code")
    raise Refusal(401, "wrong_code", "this code is wrong, was used already or is out of date")


async def who(request: web.Request) -> web.Response:
    """Tell who is signed in."""
    user = request[USER]
    role = cast("schema.RoleName", user.role.name.lower())
    return answer(schema.SessionOut(user.name, role, user.account is not None, when(user.factor_due)))


async def sign_out(request: web.Request) -> web.Response:
    """Close the session."""
    await request.app[CONTEXT].doorkeeper.sign_out(request)
    response = web.Response(status=204)
    response.del_cookie(COOKIE, path="/")
    return response


async def is_first_run(request: web.Request) -> web.Response:
    """Tell whether the hub waits for its first administrator."""
    context = request.app[CONTEXT]
    now = context.clock.now()
    found = await context.queries.ask(lambda db: users.first_code(db, now))
    return answer(a.FirstRunOut(found is not None))


async def first_run(request: web.Request) -> web.Response:
    """Make the first administrator and sign them in."""
    context, keys = request.app[CONTEXT], (_address(request), "first run")
    wanted: a.FirstRunIn = await body(request, a.FirstRunIn)
    name = new_name(wanted.name)
    check_password(wanted.password, name)
    if not context.doorkeeper.tries.take(*keys):
        raise _later()
    now, digest = context.clock.now(), token_hash(proofs.plain_code(wanted.code))
    if await context.queries.ask(lambda db: users.first_code(db, now)) != digest:
        await audit(request, actor="", outcome="wrong_code")
        raise Refusal(422, "wrong_code", "this code is not in force; `menshen users code` prints a new one")
    kept = await context.doorkeeper.passwords.hash(wanted.password)
    number = await context.journal.answer(lambda db: users.add_first_user(db, digest, name, kept, now))
    if number is None:
        raise Refusal(409, "taken", "this name is taken, or somebody was faster")
    context.doorkeeper.tries.give_back(*keys)
    cookie = await context.doorkeeper.enter(request, account=number)
    await audit(request, actor=name, target=name)
    due = when(Instant(now + users.FACTOR_GRACE))
    return _entered(request, schema.SessionOut(name, "admin", account=True, factor_due=due), cookie)


async def own(request: web.Request) -> web.Response:
    """Show one's own account."""
    sender = request[USER]
    if sender.account is None:
        role = cast("schema.RoleName", sender.role.name.lower())
        return answer(a.AccountOut(sender.name, role, second_factor=False, recovery_left=0))
    user = await _own(request)
    return answer(a.AccountOut(user.name, cast("schema.RoleName", user.role), user.factor is not None, user.recovery))


async def change_password(request: web.Request) -> web.Response:
    """Take another password; the other sessions end."""
    context, wanted = request.app[CONTEXT], cast("a.PasswordChange", await body(request, a.PasswordChange))
    user = await _prove(request, wanted.password)
    check_password(wanted.new, user.name)
    kept, stays = await context.doorkeeper.passwords.hash(wanted.new), session_of(request)
    await context.journal.execute(lambda db: users.set_password(db, user.id, kept, stays=stays))
    return web.Response(status=204)


async def want_factor(request: web.Request) -> web.Response:
    """Begin to set up a second factor."""
    context, wanted = request.app[CONTEXT], cast("a.PasswordIn", await body(request, a.PasswordIn))
    user = await _prove(request, wanted.password)
    secret = proofs.new_secret()
    await context.journal.execute(lambda db: users.want_factor(db, user.id, secret))
    return answer(a.EnrolmentOut(secret, *proofs.enrolment(secret, user.name)))


async def set_factor(request: web.Request) -> web.Response:
    """Put the second factor in force with its first code."""
    context, wanted = request.app[CONTEXT], cast("a.CodeIn", await body(request, a.CodeIn))
    user = await _own(request)
    secret = user.factor_wanted
    if secret is None:
        raise Refusal(409, "not_begun", "begin to set up the second factor first")
    if not context.doorkeeper.tries.take(_account(user.name)):
        raise _later()
    step = proofs.step_of(secret, "".join(wanted.code.split()), context.clock.now())
    if step is None:
        raise Refusal(422, "wrong_code", "this code is wrong or out of date")
    codes = proofs.new_recovery_codes()
    digests = [token_hash(proofs.plain_code(code)) for code in codes]
    if not await context.journal.answer(lambda db: users.set_factor(db, user.id, secret, step, digests)):
        raise Refusal(409, "not_begun", "begin to set up the second factor first")
    context.doorkeeper.tries.give_back(_account(user.name))
    return answer(a.RecoveryOut(codes))


async def drop_factor(request: web.Request) -> web.Response:
    """Take the second factor away."""
    context, wanted = request.app[CONTEXT], cast("a.PasswordIn", await body(request, a.PasswordIn))
    user = await _prove(request, wanted.password)
    await context.journal.execute(lambda db: users.drop_factor(db, user.id))
    return web.Response(status=204)


async def _own(request: web.Request) -> UserRow:
    """Return the account of the sender. Raises Refusal for a token."""
    number = request[USER].account
    found = None
    if number is not None:
        found = await request.app[CONTEXT].queries.ask(lambda db: users.user_numbered(db, number))
    if found is None:
        raise Refusal(409, "no_account", "a token has no account; sign in with a name and a password")
    return found


async def _prove(request: web.Request, password: str) -> UserRow:
    """Return the account of the sender, who knows its password. Raises Refusal."""
    user, doorkeeper = await _own(request), request.app[CONTEXT].doorkeeper
    if not doorkeeper.tries.take(_account(user.name)):
        raise _later()
    if not await doorkeeper.passwords.verify(user.password, password):
        raise Refusal(422, "wrong_password", "wrong password")
    doorkeeper.tries.give_back(_account(user.name))
    return user


def new_name(text: str) -> str:
    """Return the name of a new user or token. Raises Refusal."""
    name = proofs.name_of(text)
    if not name or name.casefold() in proofs.RESERVED:
        raise Refusal(422, "name", "a name is missing, or the hub uses it itself")
    return name


def check_password(password: str, name: str) -> None:
    """Raise Refusal for a password that is easy to guess."""
    why = proofs.weakness(password, name)
    if why is not None:
        raise Refusal(422, f"password_{why}", f"choose another password: {why}")


def _later() -> Refusal:
    return Refusal(429, "too_many_tries", "too many failed tries; wait a minute")


def _address(request: web.Request) -> str:
    return f"address {request.remote}"


def _account(name: str) -> str:
    return f"account {name.casefold()}"


def _entered(request: web.Request, shown: schema.SessionOut, cookie: str) -> web.Response:
    response = answer(shown)
    response.set_cookie(COOKIE, cookie, httponly=True, samesite="Strict", secure=request.secure, path="/")
    return response


_VIEWER = UserRole.VIEWER
#: What an administrator may still use once the second factor is due: to see who they are, to set it up, to leave.
WITHOUT_FACTOR = frozenset({"who", "sign_out", "account", "change_password", "want_factor", "set_factor"})
ACCOUNT: tuple[Route, ...] = (
    Route("POST", "/api/v1/session", "sign_in", "Exchange a name and password, or a token, for a session cookie", None,
          sign_in, returns=schema.SessionOut, takes=a.SignIn),
    Route("GET", "/api/v1/session", "who", "Who is signed in", _VIEWER, who, returns=schema.SessionOut),
    Route("DELETE", "/api/v1/session", "sign_out", "Close the session", _VIEWER, sign_out, status=204),
    Route("GET", "/api/v1/first-run", "is_first_run", "Whether the hub waits for its first administrator", None,
          is_first_run, returns=a.FirstRunOut),
    Route("POST", "/api/v1/first-run", "first_run", "Make the first administrator", None, first_run,
          returns=schema.SessionOut, takes=a.FirstRunIn),
    Route("GET", "/api/v1/account", "account", "One's own account", _VIEWER, own, returns=a.AccountOut),
    Route("PUT", "/api/v1/account/password", "change_password", "Take another password", _VIEWER, change_password,
          takes=a.PasswordChange, status=204),
    Route("POST", "/api/v1/account/second-factor", "want_factor", "Begin to set up a second factor", _VIEWER,
          want_factor, returns=a.EnrolmentOut, takes=a.PasswordIn),
    Route("PUT", "/api/v1/account/second-factor", "set_factor", "Put the second factor in force", _VIEWER, set_factor,
          returns=a.RecoveryOut, takes=a.CodeIn),
    Route("POST", "/api/v1/account/second-factor/removal", "drop_factor", "Take the second factor away", _VIEWER,
          drop_factor, takes=a.PasswordIn, status=204),
)  # fmt: skip
