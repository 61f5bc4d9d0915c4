"""Writes utterances instead of playing them."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from pathlib import Path

from hub.sdk import Clip, CommandKey, Unreachable, Unsupported

#: A command's key (32 hexadecimal digits): nothing else may become the name of a file.
_KEY = re.compile(r"[0-9a-f]{32}\Z")


class FileSpeaker:
    """Each utterance is one file, ``<key>.wav``; a repeat of a key leaves one file, as one key is spoken once."""

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Write ``clip`` as it is, whatever the volume. Raises Unreachable where the disk refuses."""
        if not _KEY.match(key):
            raise Unsupported("the command's key is not 32 hexadecimal digits")
        try:
            await asyncio.to_thread(self._write, f"{key}.wav", clip.wav())
        except OSError as error:
            raise Unreachable(f"cannot write the sound file ({error.strerror})") from None

    def _write(self, name: str, data: bytes) -> None:
        """Write atomically with mode 0600, so that nobody picks up half a sentence; forget the oldest over ``keep``."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder, suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            Path(temporary).replace(self._folder / name)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        oldest_first = sorted(self._folder.glob("*.wav"), key=lambda path: path.stat().st_mtime_ns)
        for old in oldest_first[: -self._keep]:
            old.unlink(missing_ok=True)


class NullSpeaker:
    """Takes everything and keeps nothing."""

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Do nothing, successfully."""
