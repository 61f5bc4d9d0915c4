"""``menshen users``: tokens, users and the code of the first run, from the console of the hub's machine."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.commands.history import fail

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), default=Path("data"),
                    show_default=True, help="data folder")  # fmt: skip
ROLE = click.option("--role", type=click.Choice(["viewer", "guard", "manager", "admin"]), required=True)


@click.group()
def users() -> None:
    """People and programs that may use the hub."""


@users.command()
@click.argument("name")
@ROLE
@DATA
def token(name: str, role: str, data: Path) -> None:
    """Print a new token for NAME; the one it had before is no longer valid."""
    click.echo(make_token(data, _checked(name), role))


@users.command()
@DATA
def code(data: Path) -> None:
    """Print a new code for the first run: with it, the page makes the first administrator."""
    made = make_first_code(data)
    if made is None:
        fail("there are users already; add one with `menshen users add`")
    click.echo(first_run_words(made))


@users.command()
@click.argument("name")
@ROLE
@DATA
def add(name: str, role: str, data: Path) -> None:
    """Add the user NAME; the password is asked for."""
    from hub.journal import users as store
    from hub.journal.queries import add_audit
    from hub.runtime.clock import wall

    name, now = _checked(name), wall()
    kept = _new_password(name)
    with lend_journal(data) as db:
        if store.add_user(db, name, role, kept, now) is None:
            fail(f"a user or a token is named {name}")
        add_audit(db, now, "console", "add_user", {"role": role}, target=name)
    click.echo(f"{name}: {role}")


@users.command()
@click.argument("name")
@DATA
def reset(name: str, data: Path) -> None:
    """Give the user NAME a new password, and take a lost second factor away; the user's sessions end."""
    from hub.journal import users as store
    from hub.journal.queries import add_audit
    from hub.runtime.clock import wall

    name = _checked(name)
    kept = _new_password(name)
    with lend_journal(data) as db:
        user = store.user_named(db, name)
        if user is None:
            fail(f"no user is named {name}")
        store.change_user(db, user.id, disabled=False)
        store.set_password(db, user.id, kept)
        store.drop_factor(db, user.id)
        add_audit(db, wall(), "console", "reset_user", {}, target=user.name)
    click.echo(f"{user.name}: {user.role}")


def make_token(data: Path, name: str, role: str) -> str:
    """Store a new token for ``name`` and return it. Exits 1 where a user has the name."""
    from hub.journal.queries import add_token
    from hub.journal.users import user_named
    from hub.runtime.clock import wall

    value = secrets.token_urlsafe(32)
    with lend_journal(data) as db:
        if user_named(db, name) is not None:
            fail(f"a user is named {name}; give the token another name")
        add_token(db, name, role, value, wall())
    return value


def make_first_code(data: Path) -> str | None:
    """Store a new code for the first run and return it; None where there are users."""
    from hub.journal.queries import token_hash
    from hub.journal.users import set_first_code
    from hub.runtime.clock import wall
    from hub.web.proofs import new_first_code, plain_code

    value = new_first_code()
    with lend_journal(data) as db:
        return value if set_first_code(db, token_hash(plain_code(value)), wall()) else None


def first_run_words(value: str) -> str:
    """Say what the code is for."""
    return (
        f"  首次使用：打开网页，输入一次性代码，创建管理员（24 小时内有效）\n"
        f"  first run: open the page and make the administrator with this one-time code, good for 24 h\n\n"
        f"    {value}\n"
    )


#: Milliseconds in which the store must be free for a moment: a hub with a backlog commits without a pause for seconds.
PATIENCE_MS = 30_000


@contextmanager
def lend_journal(data: Path) -> Iterator[sqlite3.Connection]:
    """Lend the store inside a transaction, also while a hub runs on it. Exits 1 where it cannot be opened."""
    import sqlite3

    from hub.journal.chain import begin, extend
    from hub.journal.migrate import migrate
    from hub.journal.store import FILE, connect
    from hub.model.errors import JournalError

    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = connect(data / FILE)
        try:
            migrate(db)
            db.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
            db.execute("BEGIN IMMEDIATE")
            begin(db)
            yield db
            extend(db)
            db.execute("COMMIT")
        finally:
            db.close()  # what was not committed is undone
    except (JournalError, OSError, sqlite3.Error) as error:
        fail(str(error))


def _checked(name: str) -> str:
    from hub.web.proofs import RESERVED, name_of

    if not name.strip() or len(name) > 64 or not name.isprintable() or name.casefold() in RESERVED:
        raise click.BadParameter("1 to 64 printable characters, and not `console`", param_hint="NAME")
    return name_of(name)


def _new_password(name: str) -> str:
    """Ask for a new password and return its hash. Exits 1 for one that is easy to guess."""
    from hub.web.proofs import hash_password, weakness

    password: str = click.prompt("密码 password", hide_input=True, confirmation_prompt="再输一次 again")
    why = weakness(password, name)
    if why is not None:
        fail(f"choose another password: {why}")
    return hash_password(password)
