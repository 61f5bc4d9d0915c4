"""Group robots of WeCom (企业微信群机器人): a text to the webhook that the robot's settings show.

Wire format: WeCom developer centre, document 91770 (消息推送, formerly 群机器人); error codes: document 90313.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, Unsupported, check_address, clean, entity_id
from integrations.wecom.config import DOMAIN, Config
from integrations.wecom.robot import Robot

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to tell. Raises Unsupported for a wrong address."""
    check_address(config.url, "https", "http")
    if not parse_qs(urlsplit(config.url).query).get("key"):
        raise Unsupported("the address has no key: copy it whole from the robot's settings")
    entity = Entity(entity_id(DOMAIN, name), Capability.NOTIFIER, config.name, clean(config.name.zh))
    return (Equipment(entity, Robot(tools.http, config)),)
