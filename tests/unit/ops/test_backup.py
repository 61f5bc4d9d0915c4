"""A backup opens with its passphrase alone, holds what a new machine needs, and replaces a state whole or not."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

import pyrage
import pytest

from hub.journal.chain import begin
from hub.journal.chain import seal as link
from hub.journal.lock import AlreadyRunning, lock
from hub.journal.migrate import migrate
from hub.journal.store import FILE, connect
from hub.journal.verify import verify_folder
from hub.model.proof import Occasion
from hub.model.time import Instant
from hub.ops.backup import restore as way_back
from hub.ops.backup import sealed
from hub.ops.backup.archive import BadBackup, Manifest, Writer
from hub.ops.backup.restore import OLD, examine, finish, restore
from hub.ops.backup.sealed import MAGIC, Key, Sealed, seal
from hub.ops.backup.take import take

KEY = Key("门神 keeps the gate")

AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SITE = """site: {id: garden, name: 花园}
prompts:
  fire: {text: 请离开, audio: sounds/fire.wav}
  evil: {text: 请离开, audio: ../../etc/passwd}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return hub.yaml of a site; its data folder stands beside it."""
    site, data = tmp_path / "site", tmp_path / "data"
    files = {
        site / "hub.yaml": SITE, site / "secrets.yaml": "key: abc\n", site / "rules/r1.yaml": "rule: r1\n",
        site / "plans/main.png": "png", site / "sounds/fire.wav": "wav", site / "integrations/own/manifest.yaml": "x",
        site / "integrations/own/__pycache__/x.pyc": "no", site / "node_modules/big.js": "no",
        data / "evidence/2026/11/21/a.jpg": "picture", data / "devices/onenet/x.json": "{}",
        data / "speech/a.wav": "no",
        data / "broker/passwords": "hub:x", data / "broker/mosquitto.db": "no", data / "hub.lock": "",
        data / ".firmware.half": "no",
    }  # fmt: skip
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (data / "evidence/link.jpg").symlink_to("/etc/passwd")
    with connect(data / FILE) as db:
        migrate(db)
        db.execute("INSERT INTO events (kind, at, body) VALUES ('kept', 1, '{}')")
    db.close()
    return site / "hub.yaml"


def taken(config: Path) -> Path:
    target = config.parent.parent / "one.backup"
    take(config, config.parent.parent / "data", target, KEY, AT)
    return target


def state(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder but the journal's working files."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and not path.name.endswith(("-wal", "-shm"))
    }


def test_what_is_in_it(config: Path) -> None:
    backup = taken(config)
    manifest = examine(backup, KEY)
    assert (manifest.site, manifest.made_at) == ("garden", "2026-11-21T03:00:00+00:00")
    assert {kept.name for kept in manifest.files} == {
        f"data/{FILE}", "data/evidence/2026/11/21/a.jpg", "data/devices/onenet/x.json", "data/broker/passwords",
        "site/hub.yaml", "site/secrets.yaml", "site/rules/r1.yaml", "site/plans/main.png", "site/sounds/fire.wav",
        "site/integrations/own/manifest.yaml",
    }  # fmt: skip
    assert backup.stat().st_mode & 0o777 == 0o600
    assert b"picture" not in backup.read_bytes()


def test_on_an_empty_machine(config: Path, tmp_path: Path) -> None:
    backup = taken(config)
    restore(backup, KEY, tmp_path / "new/site/hub.yaml", tmp_path / "new/data")
    assert (tmp_path / "new/site/rules/r1.yaml").read_text() == "rule: r1\n"
    assert (tmp_path / "new/data/evidence/2026/11/21/a.jpg").read_text() == "picture"
    with sqlite3.connect(tmp_path / "new/data" / FILE) as db:
        assert db.execute("SELECT kind FROM events").fetchall() == [("kept",), ("restored",)]
    db.close()
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["data", "site", f"site{OLD}"]


def test_a_restored_chain_says_so_and_the_verifier_explains_a_head_that_is_gone(config: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with closing(connect(data / FILE)) as db:
        begin(db)
    backup = taken(config)
    with closing(connect(data / FILE)) as db:  # the hub goes on after the backup
        head = link(db, Instant(2), Occasion.DAY)
    restore(backup, KEY, config, data)
    report = verify_folder(data)
    assert (report.breaks, report.links) == ([], 2)
    (gone,) = verify_folder(data, head).breaks
    assert gone.where == "head"
    assert "a backup of 2026-11-21T03:00:00+00:00 was restored" in gone.what


def test_the_old_state_is_kept(config: Path) -> None:
    backup = taken(config)
    data = config.parent.parent / "data"
    (data / "evidence/later.jpg").write_text("later")
    (config.parent / "rules/later.yaml").write_text("later")
    restore(backup, KEY, config, data)
    assert not (data / "evidence/later.jpg").exists()
    assert (data.with_name(f"data{OLD}") / "evidence/later.jpg").read_text() == "later"
    assert (config.parent.with_name(f"site{OLD}") / "rules/later.yaml").read_text() == "later"
    assert (config.parent / "node_modules/big.js").read_text() == "no"


def test_a_commit_while_it_is_taken_is_in_it_whole_or_not_at_all(config: Path) -> None:
    data = config.parent.parent / "data"
    writer = connect(data / FILE)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO events (kind, at, body) VALUES ('half', 2, '{}')")
    backup = taken(config)
    writer.execute("COMMIT")
    writer.close()
    restore(backup, KEY, config, data)
    with sqlite3.connect(data / FILE) as db:
        assert db.execute("SELECT kind FROM events").fetchall() == [("kept",), ("restored",)]
    db.close()


def test_a_running_hub_is_not_replaced(config: Path) -> None:
    backup, data = taken(config), config.parent.parent / "data"
    held = lock(data)
    before = state(config.parent.parent)
    with pytest.raises(AlreadyRunning):
        restore(backup, KEY, config, data)
    assert state(config.parent.parent) == before
    os.close(held)


def test_another_backup_is_not_overwritten(config: Path) -> None:
    backup = taken(config)
    content = backup.read_bytes()
    with pytest.raises(FileExistsError):
        taken(config)
    assert backup.read_bytes() == content
    assert not list(backup.parent.glob(".*half"))


@pytest.mark.parametrize("damage", ["passphrase", "short", "flip", "magic", "empty", "lock", "trailing"])
def test_damage_changes_nothing(config: Path, damage: str) -> None:
    backup, key = taken(config), KEY
    whole = bytearray(backup.read_bytes())
    if damage == "passphrase":
        key = Key("not the passphrase")
    elif damage == "short":
        whole = whole[:-100]
    elif damage == "flip":
        whole[len(whole) // 2] ^= 1
    elif damage == "magic":
        whole[0] ^= 1
    elif damage == "empty":
        whole = bytearray()
    elif damage == "lock":
        whole[len(MAGIC)] = 0xFF
    else:
        whole += b"more"
    backup.write_bytes(whole)
    before = state(config.parent.parent)
    with pytest.raises(BadBackup):
        restore(backup, key, config, config.parent.parent / "data")
    assert state(config.parent.parent) == before


def test_nobody_makes_one_without_the_passphrase(config: Path) -> None:
    """The lock of a real backup in front of another stream: the stream's key is the forger's, not the lock's."""
    backup = taken(config)
    raw = backup.read_bytes()
    size = int.from_bytes(raw[len(MAGIC) : len(MAGIC) + 2], "big")
    out = io.BytesIO()
    pyrage.encrypt_io(io.BytesIO(b"forged"), out, [pyrage.x25519.Identity.generate().to_public()])
    backup.write_bytes(raw[: len(MAGIC) + 2 + size] + out.getvalue())
    with pytest.raises(BadBackup, match="altered"):
        examine(backup, KEY)


def forged(path: Path, *files: tuple[str, bytes], version: int = 1, lie: bool = False) -> Path:
    def fill(sink: object) -> None:
        writer = Writer(sink)  # type: ignore[arg-type]
        for name, content in files:
            writer.add(name, len(content), io.BytesIO(content))
        if lie:
            writer._kept.pop()
        writer.end(Manifest("x", "", "9.9.9", version, ()))

    with path.open("wb") as file:
        seal(file, KEY, fill)
    return path


def test_a_backup_that_lies(tmp_path: Path) -> None:
    journal = (f"data/{FILE}", b"this is no database, but long enough to be looked at" * 100)
    cases = {
        "no journal": forged(tmp_path / "a", ("site/hub.yaml", b"")),
        "not those of the manifest": forged(tmp_path / "b", journal, ("site/hub.yaml", b""), lie=True),
        "newer": forged(tmp_path / "c", journal, version=9999),
        "journal of the backup": forged(tmp_path / "d", journal, ("site/hub.yaml", b"")),
    }
    for words, backup in cases.items():
        with pytest.raises(BadBackup, match=words):
            restore(backup, KEY, tmp_path / "s/hub.yaml", tmp_path / "d1")
        assert not (tmp_path / "d1").exists()
        assert not (tmp_path / "s").exists()


def test_no_room(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup = taken(config)
    monkeypatch.setattr(way_back, "RESERVE", 1 << 60)
    before = state(config.parent.parent)
    with pytest.raises(BadBackup, match="room"):
        restore(backup, KEY, config, config.parent.parent / "data")
    assert state(config.parent.parent) == before


def test_a_full_disk_leaves_no_half_backup(config: Path, tmp_path: Path) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        seal(Full(), KEY, lambda sink: sink.write(bytes(1 << 22)) and None)  # type: ignore[arg-type]


def test_a_stream_much_larger_than_memory_for_it_passes(tmp_path: Path) -> None:
    path, size = tmp_path / "large", 64 << 20

    def fill(sink: object) -> None:
        for _ in range(64):
            sink.write(bytes(1 << 20))  # type: ignore[attr-defined]

    with path.open("wb") as file:
        seal(file, KEY, fill)

    def drain(plain: BinaryIO) -> int:
        return sum(len(chunk) for chunk in iter(lambda: plain.read(1 << 16), b""))

    assert Sealed(path, KEY).read(drain) == size


def test_a_restore_that_was_decided_is_finished_at_the_next_start(config: Path) -> None:
    """As after a kill between the site and the data; the kills themselves are in tests/faults."""
    backup, data = taken(config), config.parent.parent / "data"
    shutil.copytree(data, copy := data.with_name("copy"), symlinks=True)
    restore(backup, KEY, config, data)
    data.rename(data.with_name("data.restored"))
    copy.rename(data)
    data.with_name("data.restore-decided").write_text(str(config.parent))
    assert finish(data)
    assert not finish(data)
    assert (data / FILE).is_file()
    assert not (data / "speech").exists()


def asking_for(lock: bytes, factor: int) -> bytes:
    """Return the lock as a machine 2^n times as fast would have made it."""
    head, stanza, rest = lock.split(b"\n", 2)
    return b"\n".join([head, b" ".join([*stanza.split()[:3], str(factor).encode()]), rest])


def test_a_lock_that_asks_too_much_is_not_called_a_wrong_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed, "PAUSE", 0)
    lock, _ = KEY.make()
    with pytest.raises(BadBackup, match="too slow or too busy"):
        Key("门神 keeps the gate").open(asking_for(lock, 40))


def test_a_busy_moment_does_not_keep_a_backup_shut(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library takes the machine for slow while others have its processors."""
    monkeypatch.setattr(sealed, "PAUSE", 0)
    lock, identity = KEY.make()
    decrypt, given = pyrage.passphrase.decrypt, [asking_for(lock, 40)] * 3

    def misjudged(asked: bytes, passphrase: str) -> bytes:
        return bytes(decrypt(given.pop() if given else asked, passphrase))

    monkeypatch.setattr(pyrage.passphrase, "decrypt", misjudged)
    assert str(Key("门神 keeps the gate").open(lock)) == str(identity)
    assert given == []


@pytest.mark.parametrize(("guesses", "kept", "made"), [((12, 14, 19, 20), 19, 3), ((12, 15, 11, 16, 9, 10), 16, 6)])
def test_a_lock_made_in_a_busy_moment_is_made_again(
    monkeypatch: pytest.MonkeyPatch, guesses: tuple[int, ...], kept: int, made: int
) -> None:
    lock, left = KEY.make()[0], list(guesses)
    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda *_: asking_for(lock, left.pop(0)))
    assert sealed.work(Key("门神 keeps the gate").make()[0]) == kept
    assert len(guesses) - len(left) == made
