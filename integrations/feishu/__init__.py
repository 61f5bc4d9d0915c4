"""Group robots of Feishu (飞书自定义机器人): a text to the webhook, signed where the robot asks for it.

Wire format: Feishu open platform, "custom bot usage guide" (自定义机器人使用指南), version 2 of the webhook.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, check_address, clean, entity_id
from integrations.feishu.config import DOMAIN, Config
from integrations.feishu.robot import Robot

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to tell. Raises Unsupported for a wrong address."""
    check_address(config.url, "https", "http")
    if not urlsplit(config.url).path.partition("/bot/v2/hook/")[2]:
        raise Unsupported("the address has no /bot/v2/hook/ and token: copy it whole from the robot's settings")
    entity = Entity(entity_id(DOMAIN, name), Capability.NOTIFIER, config.name, clean(config.name.zh))
    return (Equipment(entity, Robot(tools.http, config)),)
