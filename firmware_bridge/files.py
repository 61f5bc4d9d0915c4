"""Small files that nobody else may read, whole whatever happens while they are written."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(file: Path, data: bytes) -> None:
    """Put ``data`` in the place of ``file``; it is on the disk when this returns. Raises OSError; fit for a thread."""
    for folder in (*reversed(file.parent.parents), file.parent):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
            _bring_names(folder.parent)
    draft = file.with_name(f"{file.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    _bring_names(file.parent)


def _bring_names(folder: Path) -> None:
    """What a folder holds is on the disk only when the folder is."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
