"""The way back: a backup is proven whole, unpacked beside the old state, and takes its place in one step.

Until ``DECISION`` stands beside the data folder, a restore that ends changes nothing. From then on it is finished,
however often it is interrupted: by the next restore or by the start of the hub (``finish``).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from hub.failpoint import failpoint
from hub.journal.chain import note_restored
from hub.journal.lock import lock
from hub.journal.migrate import migrate, newest
from hub.journal.store import FILE, connect
from hub.model.errors import JournalError
from hub.ops.backup.archive import MANIFEST, BadBackup, Kept, Manifest, Reader, sync_folder
from hub.ops.backup.sealed import Key, Sealed

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where the new state waits, beside each folder it belongs to, and where the old one goes.
NEW, OLD = ".restored", ".before-restore"
#: Stands beside the data folder while a restore must be finished; holds the path of the site's folder.
DECISION = ".restore-decided"
#: Parts of a disk that stay free after a restore.
RESERVE = 64 << 20


def examine(backup: Path, key: Key) -> Manifest:
    """Read a whole backup, write nothing, and return what it holds. Raises BadBackup, Unsupported or OSError."""
    return Sealed(backup, key).read(_proven)


def restore(backup: Path, key: Key, config: Path, data: Path) -> Manifest:
    """Put the state of a backup in the place of the present one, which is kept under another name.

    Raises BadBackup, AlreadyRunning (stop the hub first), Unsupported or OSError.
    """
    data, site = data.absolute(), config.parent.absolute()
    with _locked(data):
        return _restore(backup, key, config.name, data, site)


def _restore(backup: Path, key: Key, config: str, data: Path, site: Path) -> Manifest:
    sealed = Sealed(backup, key)
    manifest = sealed.read(_proven)
    if manifest.journal_version > newest():
        raise BadBackup(f"the backup was made by Menshen {manifest.menshen}, which is newer: install that or later")
    size = sum(kept.size for kept in manifest.files)
    if shutil.disk_usage(_existing(data)).free < size + RESERVE:
        raise BadBackup(f"the disk has too little room: {size + RESERVE} bytes are needed")
    waiting = {"data": _beside(data, NEW), "site": _beside(site, NEW)}
    if data == site:
        raise BadBackup("the data folder and the site's folder must be two folders")
    for folder in waiting.values():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
    sealed.read(lambda plain: _unpack(plain, waiting))
    _check(waiting["data"] / FILE)
    _note(waiting["data"] / FILE, manifest.made_at)
    _own(waiting, _existing(data))
    (waiting["site"] / "hub.yaml").rename(waiting["site"] / config)
    failpoint("restore.before_decision")
    _decide(data, site)
    _finish(data)
    return manifest


def finish(data: Path) -> bool:
    """Finish a restore that was decided and interrupted; return whether there was one.

    Raises AlreadyRunning (it is being finished) or OSError.
    """
    data = data.absolute()
    if not _beside(data, DECISION).exists():
        return False
    with _locked(data):
        _finish(data)
    return True


def _finish(data: Path) -> None:
    path = _beside(data, DECISION)
    _replace_files(Path(path.read_text("utf-8")))
    failpoint("restore.site_done")
    if (fresh := _beside(data, NEW)).exists():
        if data.exists():
            shutil.rmtree(old := _beside(data, OLD), ignore_errors=True)
            data.rename(old)
        failpoint("restore.swapped_out")
        fresh.rename(data)
    sync_folder(data.parent)
    path.unlink()
    sync_folder(data.parent)


@contextmanager
def _locked(data: Path) -> Iterator[None]:
    """Keep the hub and other restores away from a data folder that is there."""
    descriptor = lock(data) if data.exists() else None
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _decide(data: Path, site: Path) -> None:
    """From here on the restore will be finished."""
    path = _beside(data, DECISION)
    half = path.with_name(f"{path.name}.half")
    with half.open("w", encoding="utf-8") as file:
        file.write(str(site))
        file.flush()
        os.fsync(file.fileno())
    for folder in (data.parent, site.parent):
        sync_folder(folder)
    half.rename(path)
    sync_folder(data.parent)


def _replace_files(site: Path) -> None:
    """Move what waits for ``site`` into it, and what is there under the same names beside it."""
    fresh, old = _beside(site, NEW), _beside(site, OLD)
    if not fresh.exists():
        return
    site.mkdir(mode=0o700, parents=True, exist_ok=True)
    old.mkdir(mode=0o700, exist_ok=True)
    for entry in sorted(fresh.iterdir()):
        if (present := site / entry.name).exists():
            _remove(old / entry.name)
            present.rename(old / entry.name)
        failpoint("restore.site_file")
        entry.rename(present)
    fresh.rmdir()
    sync_folder(site)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f"{folder.name}{suffix}")


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def _own(folders: dict[str, Path], like: Path) -> None:
    """Give the new files to whom the old ones belong: an administrator restores, the hub has a user of its own."""
    if os.geteuid() == 0:
        owner = like.stat()
        for folder in folders.values():
            for path in (folder, *folder.rglob("*")):
                os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _proven(plain: BinaryIO) -> Manifest:
    """Read to the end and compare with the manifest."""
    reader = Reader(plain)
    seen, manifest = [], None
    for entry in reader.entries():
        if entry.name == MANIFEST:
            manifest = _manifest(reader)
        elif manifest is not None:
            raise BadBackup("something stands behind the manifest")
        else:
            digest = hashlib.sha256()
            for chunk in reader.chunks():
                digest.update(chunk)
            seen.append(Kept(entry.name, entry.size, digest.hexdigest()))
    if manifest is None or manifest.files != tuple(seen):
        raise BadBackup("the files are not those of the manifest")
    if f"data/{FILE}" not in {kept.name for kept in seen}:
        raise BadBackup("the backup holds no journal")
    return manifest


def _manifest(reader: Reader) -> Manifest:
    try:
        return msgspec.json.decode(b"".join(reader.chunks()), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadBackup("the manifest cannot be read") from None


def _unpack(plain: BinaryIO, folders: dict[str, Path]) -> None:
    """Write every file into its waiting folder; the names are checked by the reader."""
    reader = Reader(plain)
    for entry in reader.entries():
        if entry.name == MANIFEST:
            continue
        root, _, inside = entry.name.partition("/")
        path = folders[root] / inside
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for chunk in reader.chunks():
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        failpoint("restore.file")


def _note(journal: Path, made: str) -> None:
    """Let the chain go on with a link that says where the journal comes from."""
    try:
        with closing(connect(journal)) as db:
            migrate(db)
            db.execute("BEGIN IMMEDIATE")
            note_restored(db, made)
            db.execute("COMMIT")
    except (sqlite3.Error, JournalError) as error:
        raise BadBackup(f"the journal of the backup cannot be written to: {error}") from None


def _check(journal: Path) -> None:
    """Raise BadBackup when the journal is not whole."""
    try:
        db = connect(journal, read_only=True)
        try:
            (answer,) = db.execute("PRAGMA integrity_check(1)").fetchone()
        finally:
            db.close()
    except (sqlite3.Error, JournalError) as error:
        raise BadBackup(f"the journal of the backup cannot be read: {error}") from None
    if answer != "ok":
        raise BadBackup(f"the journal of the backup is damaged: {answer}")
