"""The receiver of notifications."""

from __future__ import annotations

import json
from pathlib import Path

import aiohttp

from tests.kit.program import Program

MODULE = "integrations.sim.webhook"


async def test_a_key_is_one_message_and_the_ledger_has_it(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    with Program(MODULE, "--ledger", str(ledger)) as hook:
        for repeat in (False, True):
            headers = {"Idempotency-Key": "k1"}
            async with http.post(hook.url("/notify"), json={"title": "<b>火"}, headers=headers) as answer:
                assert (await answer.json())["repeat"] is repeat
        async with http.post(hook.url("/notify"), json={"text": {"zh": "第二条"}}) as answer:
            assert answer.status == 200
        async with http.get(hook.url("/messages")) as answer:
            got = await answer.json()
        assert [(one["key"], one["repeats"], one["body"]) for one in got] == [
            (None, 0, {"text": {"zh": "第二条"}}),
            ("k1", 1, {"title": "<b>火"}),
        ]
        async with http.get(hook.url("/")) as answer:
            page = await answer.text()
        assert "&lt;b&gt;火" in page
        assert "<b>火" not in page
        assert "第二条" in page
    assert [json.loads(line)["key"] for line in ledger.read_text().splitlines()] == ["k1", None]


async def test_it_can_be_in_trouble_first(http: aiohttp.ClientSession) -> None:
    with Program(MODULE, "--fail", "2") as hook:
        seen = []
        for _ in range(3):
            async with http.post(hook.url("/notify"), json={}, headers={"Idempotency-Key": "k"}) as answer:
                seen.append(answer.status)
        assert seen == [503, 503, 200]
        async with http.post(hook.url("/notify"), data=b"[1]") as answer:
            assert answer.status == 400
        async with http.post(hook.url("/notify"), json={}, headers={"Origin": "http://evil.example"}) as answer:
            assert answer.status == 403
