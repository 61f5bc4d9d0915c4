"""Group robots of DingTalk (钉钉群自定义机器人): a text to the webhook, signed where the robot asks for it.

Wire format: DingTalk open platform, "custom robots send group messages", with its chapter on signing (加签).
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, check_address, clean, entity_id
from integrations.dingtalk.config import DOMAIN, Config
from integrations.dingtalk.robot import Robot

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to tell. Raises Unsupported for a wrong address."""
    check_address(config.url, "https", "http")
    if not parse_qs(urlsplit(config.url).query).get("access_token"):
        raise Unsupported("the address has no access_token: copy it whole from the robot's settings")
    entity = Entity(entity_id(DOMAIN, name), Capability.NOTIFIER, config.name, clean(config.name.zh))
    return (Equipment(entity, Robot(tools.http, config)),)
