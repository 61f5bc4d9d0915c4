"""What was seen last, kept over restarts: nothing else tells a repeated push from a new one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec


class Memory:
    """The platform's time of the newest message by device and data stream, in milliseconds since 1970."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seen: dict[str, dict[str, int]] = {}

    @classmethod
    async def load(cls, file: Path) -> Memory:
        """Read what an earlier run kept; a file that is broken or not there is an empty memory."""
        memory = cls(file)
        try:
            memory._seen = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=dict[str, dict[str, int]])
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            memory._seen = {}
        return memory

    def newest(self, device: str, stream: str) -> int:
        """Return when a stream was heard last, -1 for never."""
        return self._seen.get(device, {}).get(stream, -1)

    async def keep(self, seen: dict[tuple[str, str], int]) -> None:
        """Remember times and write them. Raises OSError; they are remembered all the same."""
        for (device, stream), at in seen.items():
            self._seen.setdefault(device, {})[stream] = at
        await asyncio.to_thread(self._write, msgspec.json.encode(self._seen))

    def _write(self, text: bytes) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(text)
        fresh.replace(self._file)
