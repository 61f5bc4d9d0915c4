"""Keeps the baseline over restarts: without it the bay would be unknown until a person says that it is empty."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from integrations.field_magnetometer.baseline import Baseline, Stored


async def load(file: Path) -> Baseline | None:
    """Read what an earlier run kept; None when there is nothing, or nothing sound."""
    try:
        kept = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Stored)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    return Baseline.restored(kept)


async def save(file: Path, baseline: Baseline | None) -> None:
    """Write ``baseline``, or forget the one that was kept. Raises OSError."""
    if baseline is None:
        await asyncio.to_thread(file.unlink, missing_ok=True)
    else:
        await asyncio.to_thread(_write, file, msgspec.json.encode(baseline.stored()))


def _write(file: Path, text: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(text)
    fresh.replace(file)
