"""Devices push by HTTP: no session is asked, the integration decides, sizes are capped."""

from __future__ import annotations

import asyncio

from hub.sdk import Push, PushAnswer
from tests.kit.office import Office


async def test_pushes_come_in_by_http_without_a_session(desk: Office) -> None:
    seen: asyncio.Queue[Push] = asyncio.Queue()

    async def handler(push: Push) -> PushAnswer:
        seen.put_nowait(push)
        return PushAnswer(201, b"<b>taken</b>", "text/plain")

    desk.context.hooks.open("onenet", "lane", handler)
    answer = await desk.client.post("/hooks/onenet/lane?a=1", data=b"body", headers={"X-Sign": "s"})
    assert (answer.status, await answer.text(), answer.content_type) == (201, "<b>taken</b>", "text/plain")
    push = seen.get_nowait()
    assert (push.method, push.query, push.headers["x-sign"], push.body) == ("POST", {"a": "1"}, "s", b"body")
    assert (await desk.client.post("/hooks/onenet/lane", data=b"x" * 65_537)).status == 413
    assert (await desk.client.get("/hooks/onenet/none")).status == 404
