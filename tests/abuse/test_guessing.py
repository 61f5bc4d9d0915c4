"""Guessing (S13): a hundred names from one address are ten tries a minute, and who has work to do is not held up."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.model.time import MINUTE
from hub.web.tries import KEPT, TRIES
from tests.kit.office import GUARD, Office, bearer, office

pytestmark = pytest.mark.timeout(600)

#: Tries that are made; 10,000 in a long run.
GUESSES = 10_000 if os.environ.get("SOAK_KILLS") else 300
NAMES = 100


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as found:
        yield found


async def guess(desk: Office, number: int) -> tuple[int, str]:
    """Try a password under one of many names, as if from an address of its own; return what came of it."""
    forged = f"10.{number // 65_536}.{number // 256 % 256}.{number % 256}"
    headers = {**GUARD, "X-Forwarded-For": forged, "X-Real-IP": forged, "Forwarded": f"for={forged}"}
    wanted = {"name": f"user {number % NAMES}", "password": f"Spring 20{number % 90 + 10}"}
    answer = await desk.client.post("/api/v1/session", json=wanted, headers=headers)
    return answer.status, await answer.text()


async def test_a_hundred_names_are_sprayed(desk: Office) -> None:
    for number in range(0, NAMES, 4):
        await desk.sign_up(f"user {number}", "guard")
    compared = Counter[int]()
    said: dict[int, set[str]] = {}
    for number in range(GUESSES):
        if number and number % NAMES == 0:
            desk.clock.advance(MINUTE + 1)
        status, text = await guess(desk, number)
        compared[status] += 1
        said.setdefault(status, set()).add(text)
        if number % 50 == 25:  # whoever has a token or sits at the desk goes on: modes, voices, incidents
            switched = await desk.ask("/api/v1/site/modes/test", "guard", "PUT", json={"on": True}, headers=GUARD)
            assert switched.status == 200
    assert compared == {401: GUESSES // NAMES * TRIES, 429: GUESSES - GUESSES // NAMES * TRIES}
    assert {status: len(texts) for status, texts in said.items()} == {401: 1, 429: 1}, (
        "an answer tells who has an account"
    )
    assert len(desk.context.doorkeeper.tries._made) <= KEPT


async def test_who_tries_tokens_waits_as_well(desk: Office) -> None:
    tried = [
        (await desk.client.post("/api/v1/session", json={"token": f"guess {number}"}, headers=GUARD)).status
        for number in range(TRIES * 2)
    ]
    assert tried == [401] * TRIES + [429] * TRIES
    assert (await desk.client.get("/api/v1/site", headers=bearer("token-of-viewer"))).status == 200


async def test_the_time_of_an_answer_is_a_figure(desk: Office) -> None:
    """Printed and not asserted: that both are hashed is (tests/unit/web/test_account.py)."""
    await desk.sign_up("there", "guard")
    took: dict[str, list[float]] = {"there": [], "nobody": []}
    for _ in range(TRIES // 2):
        for name, times in took.items():
            began = time.perf_counter()
            assert (await desk.sign_in(name, "guess")).status == 401
            times.append(time.perf_counter() - began)
        desk.clock.advance(MINUTE + 1)
    apart = statistics.median(took["there"]) - statistics.median(took["nobody"])
    print(f"a name that somebody has takes {apart * 1e3:+.1f} ms (median of {TRIES // 2})")  # noqa: T201 - a figure
