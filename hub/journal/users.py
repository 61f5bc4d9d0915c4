"""People who sign in: users, their sessions and second factors. Each function works on one connection.

Those that write run inside a transaction that commits of the engine share (hub.journal.store), so they never raise for
what a person asks: they answer what came of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.time import DAY, HOUR, Instant

if TYPE_CHECKING:
    import sqlite3

#: A session that nobody used for this long is over, and after this long in any case.
IDLE, LONGEST = 12 * HOUR, 7 * DAY
#: Sessions that one user or token has at a time; the oldest goes first.
PAGES = 20
#: How long the code of the first run is good.
FIRST_CODE = 1 * DAY
#: How long a new administrator may do without a second factor.
FACTOR_GRACE = 7 * DAY
_FIRST_CODE = "first_code"


class UserRow(msgspec.Struct, frozen=True):
    """One user."""

    id: int
    name: str
    role: str
    disabled: bool
    password: str
    """argon2id in PHC form."""
    factor: str | None
    """Secret of the second factor in base32."""
    factor_wanted: str | None
    """The same, until its first code has proved that it arrived."""
    created_at: Instant
    seen_at: Instant | None
    recovery: int
    """Recovery codes left."""


def factor_due(user: UserRow) -> Instant | None:
    """Say from when a user may do nothing but set up a second factor; None for who has one or needs none."""
    return Instant(user.created_at + FACTOR_GRACE) if user.role == "admin" and user.factor is None else None


class SessionRow(msgspec.Struct, frozen=True):
    """Who a cookie belongs to; ``user`` is None where it was opened with a token."""

    user: int | None
    name: str
    role: str
    seen_at: Instant
    factor_due: Instant | None = None
    """From when an administrator without a second factor may do nothing but set one up; None for everybody else."""


class FirstCode(msgspec.Struct, frozen=True):
    """The code of the first run, as it is kept."""

    hash: bytes
    at: Instant


_USERS = (
    "SELECT id, name, role, disabled, password, factor, factor_wanted, created_at,"
    " (SELECT max(seen_at) FROM sessions WHERE user = users.id), (SELECT count(*) FROM recovery WHERE user = users.id)"
    " FROM users"
)
_SESSION = (
    "SELECT u.id, coalesce(u.name, t.name), coalesce(u.role, t.role), s.seen_at,"
    " CASE WHEN u.role = 'admin' AND u.factor IS NULL THEN u.created_at + ? END FROM sessions s"
    " LEFT JOIN users u ON u.id = s.user AND NOT u.disabled LEFT JOIN tokens t ON t.hash = s.token"
    " WHERE s.hash = ? AND s.seen_at >= ? AND s.opened_at >= ? AND coalesce(u.id, t.id) IS NOT NULL"
)


def users(db: sqlite3.Connection) -> list[UserRow]:
    """Return all users by name."""
    return [_user(row) for row in db.execute(f"{_USERS} ORDER BY name")]


def user_named(db: sqlite3.Connection, name: str) -> UserRow | None:
    """Return the user of a name, whatever its case."""
    row = db.execute(f"{_USERS} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _user(row)


def user_numbered(db: sqlite3.Connection, number: int) -> UserRow | None:
    """Return one user."""
    row = db.execute(f"{_USERS} WHERE id = ?", (number,)).fetchone()
    return None if row is None else _user(row)


def add_user(db: sqlite3.Connection, name: str, role: str, password: str, at: Instant) -> int | None:
    """Add a user; return its number, or None where a user or a token has that name."""
    if db.execute("SELECT 1 FROM tokens WHERE name = ? COLLATE NOCASE", (name,)).fetchone() is not None:
        return None
    done = db.execute(
        "INSERT OR IGNORE INTO users (name, role, password, created_at) VALUES (?, ?, ?, ?)", (name, role, password, at)
    )
    return done.lastrowid if done.rowcount else None


def change_user(db: sqlite3.Connection, number: int, *, role: str | None = None, disabled: bool | None = None) -> bool:
    """Change a role or shut somebody out, and end their sessions; False where no administrator would be left."""
    others = "SELECT 1 FROM users WHERE role = 'admin' AND NOT disabled AND id <> ?"
    before = user_numbered(db, number)
    if before is None:
        return False
    will_be_admin = (role or before.role) == "admin" and not (before.disabled if disabled is None else disabled)
    was_admin = before.role == "admin" and not before.disabled
    if was_admin and not will_be_admin and db.execute(others, (number,)).fetchone() is None:
        return False
    db.execute(
        "UPDATE users SET role = coalesce(?, role), disabled = coalesce(?, disabled) WHERE id = ?",
        (role, disabled, number),
    )
    close_sessions(db, number)
    return True


def set_password(db: sqlite3.Connection, number: int, password: str, *, stays: bytes | None = None) -> None:
    """Store a new password and end the user's sessions but ``stays``."""
    db.execute("UPDATE users SET password = ? WHERE id = ?", (password, number))
    close_sessions(db, number, stays=stays)


# sessions


def open_session(
    db: sqlite3.Connection, digest: bytes, at: Instant, *, user: int | None = None, token: bytes | None = None
) -> None:
    """Open a session and forget those that are over."""
    db.execute("DELETE FROM sessions WHERE seen_at < ? OR opened_at < ?", (at - IDLE, at - LONGEST))
    db.execute(
        "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE user IS ? AND token IS ?"
        " ORDER BY seen_at DESC LIMIT -1 OFFSET ?)",
        (user, token, PAGES - 1),
    )
    db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (digest, user, token, at, at))


def session(db: sqlite3.Connection, digest: bytes, now: Instant) -> SessionRow | None:
    """Return whose session this is, if it is not over and its user or token may still come in."""
    row = db.execute(_SESSION, (FACTOR_GRACE, digest, now - IDLE, now - LONGEST)).fetchone()
    return None if row is None else SessionRow(*row)


def touch_session(db: sqlite3.Connection, digest: bytes, at: Instant) -> None:
    """Note that a session is in use."""
    db.execute("UPDATE sessions SET seen_at = ? WHERE hash = ?", (at, digest))


def close_session(db: sqlite3.Connection, digest: bytes) -> None:
    """End one session."""
    db.execute("DELETE FROM sessions WHERE hash = ?", (digest,))


def close_sessions(db: sqlite3.Connection, user: int, *, stays: bytes | None = None) -> None:
    """End all sessions of a user but one."""
    db.execute("DELETE FROM sessions WHERE user = ? AND hash IS NOT ?", (user, stays))


# second factor


def want_factor(db: sqlite3.Connection, number: int, secret: str) -> None:
    """Keep a secret until its first code arrives."""
    db.execute("UPDATE users SET factor_wanted = ? WHERE id = ?", (secret, number))


def set_factor(db: sqlite3.Connection, number: int, secret: str, step: int, recovery: list[bytes]) -> bool:
    """Put the secret that was wanted in force; False where it was used or replaced meanwhile."""
    done = db.execute(
        "UPDATE users SET factor = factor_wanted, factor_wanted = NULL, factor_step = ? WHERE id = ?"
        " AND factor_wanted = ?",
        (step, number, secret),
    )
    if done.rowcount:
        db.execute("DELETE FROM recovery WHERE user = ?", (number,))
        db.executemany("INSERT INTO recovery VALUES (?, ?)", [(number, digest) for digest in recovery])
    return bool(done.rowcount)


def drop_factor(db: sqlite3.Connection, number: int) -> None:
    """Take a second factor away, with its recovery codes."""
    db.execute("UPDATE users SET factor = NULL, factor_wanted = NULL WHERE id = ?", (number,))
    db.execute("DELETE FROM recovery WHERE user = ?", (number,))


def use_step(db: sqlite3.Connection, number: int, step: int) -> bool:
    """Use up the code of a time step; False where it or a later one was used already (RFC 6238, 5.2)."""
    done = db.execute("UPDATE users SET factor_step = ? WHERE id = ? AND factor_step < ?", (step, number, step))
    return bool(done.rowcount)


def use_recovery(db: sqlite3.Connection, number: int, digest: bytes) -> bool:
    """Use up a recovery code; False where it is none."""
    return bool(db.execute("DELETE FROM recovery WHERE user = ? AND hash = ?", (number, digest)).rowcount)


# first run


def set_first_code(db: sqlite3.Connection, digest: bytes, at: Instant) -> bool:
    """Keep the code that makes the first administrator, in the place of an earlier one; False where users exist."""
    if db.execute("SELECT 1 FROM users").fetchone() is not None:
        return False
    body = msgspec.json.encode(FirstCode(digest, at)).decode()
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (_FIRST_CODE, body))
    return True


def first_code(db: sqlite3.Connection, now: Instant) -> bytes | None:
    """Return the hash of the code in force; None where there are users or no code was made."""
    row = db.execute(
        "SELECT value FROM meta WHERE key = ? AND NOT EXISTS (SELECT 1 FROM users)", (_FIRST_CODE,)
    ).fetchone()
    kept = None if row is None else msgspec.json.decode(row[0], type=FirstCode)
    return None if kept is None or now - kept.at > FIRST_CODE else kept.hash


def add_first_user(db: sqlite3.Connection, digest: bytes, name: str, password: str, at: Instant) -> int | None:
    """Make the first administrator and use the code up; None where the code is not in force or the name is taken."""
    if first_code(db, at) != digest:
        return None
    number = add_user(db, name, "admin", password, at)
    if number is not None:
        db.execute("DELETE FROM meta WHERE key = ?", (_FIRST_CODE,))
    return number


def _user(row: Any) -> UserRow:
    number, name, role, disabled, *rest = row
    return UserRow(number, name, role, bool(disabled), *rest)
