"""SMS gateways that take one message by one HTTP request, described in hub.yaml: address, headers, fields.

The request is built from values. ``{phone}``, ``{text}`` and ``{key}`` stand in the texts of ``fields`` and are filled
in before the whole is written as a form, a query or JSON, so no text can become syntax. Gateways that sign each request
(Alibaba Cloud, Tencent Cloud) are beyond a template and want an integration of their own.
"""

from __future__ import annotations

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, check_address, clean, entity_id
from integrations.sms_gateway.config import DOMAIN, Config, check_template
from integrations.sms_gateway.gateway import Gateway

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to tell. Raises Unsupported for what cannot work."""
    check_address(config.url, "https", "http")
    check_template(config)
    entity = Entity(entity_id(DOMAIN, name), Capability.NOTIFIER, config.name, clean(config.name.zh))
    return (Equipment(entity, Gateway(tools.http, config)),)
