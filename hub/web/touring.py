"""Compares the pictures of facade tours in a process of its own (``python -m hub.web.touring``).

One comparison is about a second of computing, and what is decoded comes from a camera.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from hub.model.tour import Box, Judged, Outcome
from hub.web.apart import apart, work_for_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.sdk import Picture

#: Seconds that one comparison may take: 34 million pixels on a slow machine.
PATIENCE = 60.0


class Job(msgspec.Struct, frozen=True):
    """Two pictures with their media types; ``known`` are boxes of what need not be told again."""

    now: bytes
    media: str
    before: bytes | None
    before_media: str
    known: tuple[Box, ...]


class Comparison(msgspec.Struct, frozen=True):
    """What the process writes."""

    progress: float
    result: Judged | None = None
    problem: str | None = None


async def compare(now: Picture, before: Picture | None, known: tuple[Box, ...]) -> Judged:
    """Judge a picture against the accepted one; a process that ends or takes too long is told as no picture."""
    job = Job(now.data, now.media_type, None, "", known)
    if before is not None:
        job = msgspec.structs.replace(job, before=before.data, before_media=before.media_type)
    try:
        async with asyncio.timeout(PATIENCE), apart(__name__, job) as lines:
            async for text in lines:
                line = msgspec.json.decode(text, type=Comparison)
                if line.result is not None:
                    return line.result
                if line.problem is not None:
                    return Judged(Outcome.NONE, line.problem)
    except TimeoutError:
        return Judged(Outcome.NONE, "the comparison took too long")
    return Judged(Outcome.NONE, "the comparison ended without a result")


def _work(job: Job, _progress: Callable[[float], None]) -> Judged:
    try:
        from hub.vision.tour.judge import judge
    except ImportError as error:
        return Judged(Outcome.NONE, f"facade tours need menshen[detect]: {error.name} is missing")
    return judge(job.now, job.media, job.before, job.before_media, job.known)


if __name__ == "__main__":
    work_for_parent(Comparison, _work)
