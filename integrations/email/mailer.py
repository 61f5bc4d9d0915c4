"""Sends notices."""

from __future__ import annotations

import ssl

from hub.sdk import CommandKey, Notice, Unreachable, Unsupported
from integrations.email.config import Config
from integrations.email.letter import letter
from integrations.email.line import send

#: Notices whose told recipients are remembered while some are still to be told.
_REMEMBERED = 100


class Mailer:
    """One account and the people it writes to."""

    def __init__(self, config: Config, context: ssl.SSLContext | None) -> None:
        self._config = config
        self._context = context
        self._told: dict[CommandKey, set[str]] = {}

    async def tell(self, notice: Notice) -> None:
        """Send ``notice`` to each recipient once; a repeat goes only to those not told yet. Raises DeviceError."""
        told = self._told.setdefault(notice.key, set())
        if len(self._told) > _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        missing = [address for address in dict.fromkeys(self._config.recipients) if address not in told]
        refused = await send(self._config, self._context, missing, letter(self._config, notice))
        told.update(address for address in missing if address not in refused)
        if refused:
            codes = ", ".join(sorted({str(code) for code in refused.values()}))
            kind = Unreachable if any(400 <= code < 500 for code in refused.values()) else Unsupported
            raise kind(f"the mail server refused {len(refused)} of {len(missing)} recipients (code {codes})")
        self._told.pop(notice.key, None)
