"""Makes a backup while the hub runs, or while it does not: the journal as it stands at one moment, then the files."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import integrations as shipped
from hub import __version__
from hub.config.plans import PLANS
from hub.config.site import RULES, SECRETS
from hub.config.yaml import load, plain
from hub.journal.store import FILE, connect
from hub.model.errors import ConfigError, JournalError
from hub.ops.backup.archive import Manifest, Writer, sync_folder
from hub.ops.backup.sealed import Key, seal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

#: What the data folder holds and a backup does not: it is made again, or belongs to the machine.
LEFT_OUT = frozenset({FILE, f"{FILE}-wal", f"{FILE}-shm", "hub.lock", "speech", "site", "demo", "estate"}) | {
    f"sightings.sqlite3{end}"
    for end in ("", "-wal", "-shm")  # small pictures of a month: much, and no evidence
}
#: Of the broker's folder only accounts are kept: its messages are repeated by the devices, or old.
BROKER_LEFT_OUT = frozenset({"mosquitto.db", "mosquitto.conf", "mosquitto.log"})
#: Folders of a site.
FOLDERS = (RULES, PLANS, "integrations")


def take(config: Path, data: Path, target: Path, key: Key, at: datetime) -> Manifest:
    """Write a backup to ``target``, which must not exist; a failure leaves nothing there.

    Raises BadBackup, JournalError, Unsupported or OSError.
    """
    if not (data / FILE).is_file():
        raise JournalError(f"{data} holds no journal: is this the hub's data folder?")
    half = target.with_name(f".{target.name}.half")
    snapshot = data / ".backup.sqlite3"
    made: list[Manifest] = []

    def fill(sink: BinaryIO) -> None:
        writer = Writer(sink)
        version = _snapshot(data / FILE, snapshot)
        with snapshot.open("rb") as file:
            writer.add(f"data/{FILE}", os.fstat(file.fileno()).st_size, file)
        for name, path in files(config, data):
            _add(writer, name, path)
        made.append(writer.end(Manifest(_site_id(config), at.isoformat(timespec="seconds"), __version__, version, ())))

    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            seal(file, key, fill)
            file.flush()
            os.fsync(file.fileno())
        os.link(half, target)  # never over another backup
        sync_folder(target.parent)  # whoever is told that there is a backup has one, whatever happens to the power
    finally:
        half.unlink()
        for name in (snapshot, snapshot.with_name(f"{snapshot.name}-journal")):
            name.unlink(missing_ok=True)
    return made[0]


def files(config: Path, data: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name in the backup and the place of every file but the journal."""
    for path in _walk(data, LEFT_OUT):
        inside = path.relative_to(data)
        if inside.parts[0] != "broker" or path.name not in BROKER_LEFT_OUT:
            yield f"data/{inside.as_posix()}", path
    yield "site/hub.yaml", config
    site = config.parent
    if (secrets := site / SECRETS).is_file():
        yield f"site/{SECRETS}", secrets
    own = {Path(place).resolve() for place in list(shipped.__path__)[:1]}
    for folder in FOLDERS:
        if (site / folder).is_dir() and (site / folder).resolve() not in own:
            for path in _walk(site / folder, frozenset({"__pycache__"})):
                yield f"site/{path.relative_to(site).as_posix()}", path
    for audio in _recordings(config):
        if (site / audio).is_file():
            yield f"site/{audio}", site / audio


def _walk(folder: Path, left_out: frozenset[str]) -> Iterator[Path]:
    """Yield the plain files below ``folder``; names that begin with a dot are work in progress of the hub."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name in left_out or entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), frozenset({"__pycache__"}))
        elif entry.is_file(follow_symlinks=False):
            yield Path(entry.path)


def _add(writer: Writer, name: str, path: Path) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # its time was over between the look and the reading
    with file:
        writer.add(name, os.fstat(file.fileno()).st_size, file)


def _snapshot(journal: Path, target: Path) -> int:
    """Copy the journal as one transaction sees it, while others write; return its version."""
    target.unlink(missing_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db = connect(journal, read_only=True)
    try:
        db.execute("VACUUM INTO ?", (str(target),))
        (version,) = db.execute("PRAGMA user_version").fetchone()
    except sqlite3.Error as error:
        raise JournalError(f"the journal cannot be copied: {error}") from error
    finally:
        db.close()
    return int(version)


def _document(config: Path) -> dict[str, Any]:
    """Return hub.yaml as it stands; one with mistakes is kept all the same."""
    try:
        tree = plain(load(config, config.name))
    except ConfigError:
        return {}
    return tree if isinstance(tree, dict) else {}


def _site_id(config: Path) -> str:
    site = _document(config).get("site")
    return str(site.get("id", "")) if isinstance(site, dict) else ""


def _recordings(config: Path) -> list[str]:
    """Return the recorded prompts that hub.yaml names and that lie in the site's folder."""
    prompts = _document(config).get("prompts")
    named = (
        [prompt.get("audio") for prompt in prompts.values() if isinstance(prompt, dict)]
        if isinstance(prompts, dict)
        else []
    )
    return sorted(
        {name for name in named if isinstance(name, str) and not name.startswith("/") and ".." not in name.split("/")}
    )
