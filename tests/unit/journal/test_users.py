"""The tables of users: what an older hub kept goes on being good, and answers that hold without an exception."""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from hub.journal import users
from hub.journal.migrate import migrate
from hub.journal.queries import AuditRow, Queries, token_hash
from hub.journal.store import FILE, Journal
from hub.model.time import MINUTE, Instant

AT = Instant(1_700_000_000_000_000)


def test_tokens_and_the_trail_of_an_older_hub_are_kept(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    folder = resources.files("hub.journal").joinpath("migrations")
    for script in sorted(entry.name for entry in folder.iterdir() if entry.name[:4] < "0005"):
        if script.endswith(".sql"):
            db.executescript(folder.joinpath(script).read_text("utf-8"))
    db.execute("PRAGMA user_version = 4")
    db.execute("INSERT INTO tokens VALUES ('guard', 'viewer', ?, ?)", (token_hash("secret"), AT))
    db.execute("INSERT INTO audit (at, actor, action, body) VALUES (?, 'guard', 'mode', '{}')", (AT,))
    migrate(db)
    assert db.execute("SELECT id, name, role, hash, created_at FROM tokens").fetchall() == [
        (1, "guard", "viewer", token_hash("secret"), AT)
    ]
    assert db.execute("SELECT actor, action, body, address, target, outcome FROM audit").fetchall() == [
        ("guard", "mode", "{}", "", "", "done")
    ]
    db.close()


async def test_the_trail_that_an_older_hub_kept_is_read(tmp_path: Path) -> None:
    journal, queries = Journal(tmp_path), Queries(tmp_path)
    insert = "INSERT INTO audit (at, actor, action, body) VALUES (?, 'a', 'mode', '{}')"
    await journal.answer(lambda db: db.execute(insert, (AT,)).rowcount)
    assert await queries.audit(10, None) == [AuditRow(1, AT, "a", "mode", {}, "", "", "done")]
    await queries.close()
    await journal.close()


@pytest.fixture
def db(tmp_path: Path) -> sqlite3.Connection:
    found = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    migrate(found)
    return found


def test_nobody_raises_inside_a_transaction_that_others_share(db: sqlite3.Connection) -> None:
    assert users.add_user(db, "a", "admin", "x", AT) == 1
    assert users.add_user(db, "A", "admin", "x", AT) is None
    assert users.change_user(db, 1, disabled=True) is False
    assert users.change_user(db, 2, disabled=True) is False
    assert users.set_factor(db, 1, "none", 1, [b"x"]) is False
    assert users.use_step(db, 2, 1) is False
    assert users.use_recovery(db, 1, b"x") is False
    assert users.add_first_user(db, b"x", "b", "x", AT) is None
    assert users.set_first_code(db, b"x", AT) is False
    users.set_password(db, 9, "x")
    users.close_session(db, b"x")
    users.touch_session(db, b"x", AT)
    db.close()


def test_the_code_of_the_first_run_is_compared_where_it_is_used_up(db: sqlite3.Connection) -> None:
    assert users.set_first_code(db, b"x", AT)
    assert users.add_first_user(db, b"y", "a", "x", AT) is None
    assert users.add_first_user(db, b"x", "a", "x", AT) == 1
    assert users.add_first_user(db, b"x", "b", "x", AT) is None
    db.close()


def test_a_session_belongs_to_a_user_or_to_a_token_and_to_nobody_else(db: sqlite3.Connection) -> None:
    users.add_user(db, "a", "manager", "x", AT)
    db.execute("INSERT INTO tokens (name, role, hash, created_at) VALUES ('t', 'guard', x'aa', ?)", (AT,))
    users.open_session(db, b"user", AT, user=1)
    users.open_session(db, b"token", AT, token=b"\xaa")
    users.open_session(db, b"gone", AT, user=2)
    users.open_session(db, b"lost", AT, token=b"\xbb")
    now = Instant(AT + MINUTE)
    assert users.session(db, b"user", now) == users.SessionRow(1, "a", "manager", AT)
    assert users.session(db, b"token", now) == users.SessionRow(None, "t", "guard", AT)
    assert [users.session(db, digest, now) for digest in (b"gone", b"lost", b"none")] == [None] * 3
    db.execute("UPDATE users SET disabled = 1")
    assert users.session(db, b"user", now) is None
    db.close()
