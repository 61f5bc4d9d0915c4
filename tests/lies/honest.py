"""The true far ends of who speaks HTTP, in a process of their own: prints how each is reached as one line of JSON.

``python -m tests.lies.honest`` ends with its standard input. Each far end is the one of its integration's own tests.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from integrations.axis_speaker.tests import far_end as axis
from integrations.sim import dahua_camera as dahua
from integrations.sim import dingtalk_robot as dingtalk
from integrations.sim import feishu_robot as feishu
from integrations.sim import hikvision_camera as hikvision
from integrations.sim import sms_platform as sms
from integrations.sim import wecom_robot as wecom


async def _serve(stack: AsyncExitStack, app: web.Application) -> str:
    server = await stack.enter_async_context(TestServer(app, host="127.0.0.1"))
    return str(server.make_url("")).rstrip("/")


async def _begin(stack: AsyncExitStack) -> dict[str, dict[str, Any]]:
    """Return the configuration that leads each guest to its far end."""
    group = web.Application()
    group.add_routes(wecom.Platform().routes())
    to_axis = await stack.enter_async_context(axis.Axis().listen())
    to_dahua = await stack.enter_async_context(dahua.Camera().on_loopback())
    to_hikvision = await stack.enter_async_context(hikvision.Camera().on_loopback())
    to_dingtalk = await _serve(stack, dingtalk.Platform().app())
    to_feishu = await _serve(stack, feishu.Platform().app())
    to_sms = await _serve(stack, sms.Sms().app())
    to_wecom = await _serve(stack, group)
    of_dahua = {"address": to_dahua, "user": dahua.USER, "password": dahua.PASSWORD}
    of_hikvision = {"address": to_hikvision, "user": hikvision.USER, "password": hikvision.PASSWORD}
    return {
        "axis_speaker": {"url": to_axis, "user": axis.USER, "password": axis.PASSWORD},
        "axis_speaker clips": {"url": to_axis, "user": axis.USER, "password": axis.PASSWORD, "chime": "Ding dong"},
        "dahua": of_dahua,
        "dahua events": of_dahua,
        "dingtalk": {"url": f"{to_dingtalk}/robot/send?access_token={dingtalk.TOKEN}", "secret": dingtalk.SECRET},
        "feishu": {"url": f"{to_feishu}/open-apis/bot/v2/hook/{feishu.TOKEN}", "secret": feishu.SECRET},
        "hikvision": of_hikvision,
        "hikvision events": of_hikvision,
        "sms_gateway": {
            "url": f"{to_sms}/basic",
            "method": "GET",
            "fields": {"m": "{phone}", "c": "{text}"},
            "user": "wuye",
            "password": sms.TOKEN,
        },
        "wecom": {"url": f"{to_wecom}/cgi-bin/webhook/send?key={wecom.KEY}"},
    }


async def main() -> None:
    """Serve until nobody listens any more."""
    async with AsyncExitStack() as stack:
        print(json.dumps(await _begin(stack)), flush=True)  # noqa: T201 - the test reads it
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
