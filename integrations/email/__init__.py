"""E-mail through the site's mail server: SMTP (RFC 5321) over TLS (RFC 8314) or STARTTLS (RFC 3207)."""

from __future__ import annotations

import asyncio

from hub.sdk import Capability, Entity, Equipment, Plugin, Tools, clean, entity_id
from integrations.email.config import DOMAIN, Config, check_login
from integrations.email.mailer import Mailer
from integrations.email.trust import trust

plugin = Plugin(DOMAIN)


@plugin.device(Config)
async def connect(name: str, config: Config, tools: Tools) -> tuple[Equipment, ...]:
    """Check the configuration; the network is asked only to tell. Raises Unsupported for what cannot work."""
    check_login(config)
    context = None if config.security == "none" else await asyncio.to_thread(trust, config.ca, tools.site)
    entity = Entity(entity_id(DOMAIN, name), Capability.NOTIFIER, config.name, clean(config.name.zh))
    return (Equipment(entity, Mailer(config, context)),)
