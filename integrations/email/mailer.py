"""Sends notices, and files."""

from __future__ import annotations

import ssl

from hub.sdk import CommandKey, Notice, Parcel, Unreachable, Unsupported
from integrations.email.config import Config
from integrations.email.letter import enclosing, letter
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
        await self._send(notice.key, letter(self._config, notice))

    async def deliver(self, parcel: Parcel) -> None:
        """Send ``parcel`` to each recipient once, as ``tell`` does. Raises DeviceError."""
        await self._send(parcel.key, enclosing(self._config, parcel))

    async def _send(self, key: CommandKey, mail: bytes) -> None:
        told = self._told.setdefault(key, set())
        if len(self._told) > _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        missing = [address for address in dict.fromkeys(self._config.recipients) if address not in told]
        refused = await send(self._config, self._context, missing, mail)
        told.update(address for address in missing if address not in refused)
        if refused:
            codes = ", ".join(sorted({str(code) for code in refused.values()}))
            kind = Unreachable if any(400 <= code < 500 for code in refused.values()) else Unsupported
            raise kind(f"the mail server refused {len(refused)} of {len(missing)} recipients (code {codes})")
        self._told.pop(key, None)
