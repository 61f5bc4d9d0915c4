"""A file that holds one line per thing that truly happened, also through a power cut right after it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


class Ledger:
    """Appends JSON lines; each is on the disk when ``add`` returns. Without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, **fields: Any) -> None:
        """Append one line. Raises OSError."""
        if self._path is None:
            return
        with self._path.open("ab") as file:
            file.write(json.dumps(fields, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def whole_file(path: Path, data: bytes) -> None:
    """Write ``data`` so that a reader finds all of it or the former file."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(path)
