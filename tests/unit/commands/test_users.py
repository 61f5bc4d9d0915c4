"""``menshen users``: the console can always let somebody in, and says no where it must."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from hub.cli import main
from hub.commands.users import make_first_code
from hub.journal.store import FILE
from hub.web.proofs import name_of

PASSWORD = "correct horse battery"


def run(data: Path, *words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["users", *words, "--data", str(data)], input=typed)


def rows(data: Path, sql: str) -> list[tuple[object, ...]]:
    db = sqlite3.connect(data / FILE)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_a_token_is_printed_and_kept_as_a_hash(tmp_path: Path) -> None:
    made = run(tmp_path, "token", "大屏", "--role", "viewer")
    assert made.exit_code == 0
    assert rows(tmp_path, "SELECT name, role FROM tokens") == [("大屏", "viewer")]
    assert made.output.strip().encode() not in (tmp_path / FILE).read_bytes()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0
    again = run(tmp_path, "token", "大屏", "--role", "guard")
    assert again.output != made.output
    assert rows(tmp_path, "SELECT name, role FROM tokens") == [("大屏", "guard")]


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "two\nlines", "\x1b[31m", "Console"])
def test_a_name_is_printable_and_short(tmp_path: Path, name: str) -> None:
    assert run(tmp_path, "token", name, "--role", "viewer").exit_code == 2


def test_the_code_of_the_first_run_is_printed_while_there_is_nobody(tmp_path: Path) -> None:
    shown = run(tmp_path, "code")
    assert shown.exit_code == 0
    assert re.search(r"^ {4}[A-Z2-9]{4}-[A-Z2-9]{4}$", shown.output, re.M)
    assert run(tmp_path, "add", "陈经理", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    refused = run(tmp_path, "code")
    assert refused.exit_code == 1
    assert "users add" in refused.output
    assert make_first_code(tmp_path) is None


def test_two_hubs_print_different_codes(tmp_path: Path) -> None:
    assert make_first_code(tmp_path / "a") != make_first_code(tmp_path / "b")


def test_a_user_is_added_with_a_password_that_nobody_sees(tmp_path: Path) -> None:
    done = run(tmp_path, "add", "陈经理", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert done.exit_code == 0
    assert PASSWORD not in done.output
    ((name, role, kept),) = rows(tmp_path, "SELECT name, role, password FROM users")
    assert (name, role) == ("陈经理", "admin")
    assert str(kept).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert rows(tmp_path, "SELECT actor, action, target FROM audit") == [("console", "add_user", "陈经理")]
    assert run(tmp_path, "add", "陈经理", "--role", "guard", typed=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 1
    assert run(tmp_path, "token", "陈经理", "--role", "guard").exit_code == 1, "a token must not pass for a person"
    assert run(tmp_path, "add", "other", "--role", "guard", typed="1234567890\n1234567890\n").exit_code == 1
    assert len(rows(tmp_path, "SELECT 1 FROM users")) == 1


def test_a_name_is_kept_as_it_is_looked_for(tmp_path: Path) -> None:
    run(tmp_path, "add", " Ｗａｎｇ  师傅", "--role", "guard", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert rows(tmp_path, "SELECT name FROM users") == [(name_of(" Ｗａｎｇ  师傅"),)] == [("Wang 师傅",)]


def test_a_forgotten_password_and_a_lost_phone_are_put_right(tmp_path: Path) -> None:
    run(tmp_path, "add", "陈经理", "--role", "admin", typed=f"{PASSWORD}\n{PASSWORD}\n")
    before = rows(tmp_path, "SELECT password FROM users")
    db = sqlite3.connect(tmp_path / FILE)
    with db:
        db.execute("UPDATE users SET factor = 'A', disabled = 1")
        db.execute("INSERT INTO sessions VALUES (x'01', 1, NULL, 1, 1)")
        db.execute("INSERT INTO recovery VALUES (1, x'01')")
    db.close()
    assert run(tmp_path, "reset", "陈经理", typed="another long one\nanother long one\n").exit_code == 0
    assert rows(tmp_path, "SELECT factor, disabled FROM users") == [(None, 0)]
    assert rows(tmp_path, "SELECT password FROM users") != before
    assert rows(tmp_path, "SELECT 1 FROM sessions UNION ALL SELECT 1 FROM recovery") == []
    assert run(tmp_path, "reset", "nobody", typed="another long one\nanother long one\n").exit_code == 1
