"""Files that a power cut leaves whole, with their names: what is written once must not be gone, nor half."""

from __future__ import annotations

import errno
import os
import secrets
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MAKING = threading.Lock()


def write_whole(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace a file in one step; it is on the disk for good when this returns. Raises OSError; fit for a thread.

    ``mode`` holds whatever the umask is: without another one nobody else can read the file.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode & 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:  # whatever stopped it, no draft with a secret is left
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder (0700) and those above it, on the disk for good before anybody finds them there."""
    with _MAKING:
        for folder in (*reversed(path.parents), path):
            if not folder.is_dir():
                folder.mkdir(mode=0o700)
                sync_folder(folder.parent)


def sync_folder(path: Path) -> None:
    """Bring the names of a folder to the disk: a file whose name is gone is gone. Raises OSError.

    A file system that keeps no names of its own (some shared folders) answers EINVAL (fsync(2)): nothing to do there.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(folder)
