"""Sends notices."""

from __future__ import annotations

import asyncio

import aiohttp

from hub.sdk import BadCredentials, CommandKey, DeviceError, Notice, Unreachable, Unsupported, fetch
from integrations.sms_gateway.config import Config
from integrations.sms_gateway.wire import check, request

#: Notices whose told phones are remembered while some are still to be told.
_REMEMBERED = 100
#: The error that leaves hope wins, so that the hub tries again.
_HOPE: tuple[type[DeviceError], ...] = (Unreachable, BadCredentials, Unsupported)


class Gateway:
    """One gateway and the phones it tells."""

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self._http = http
        self._config = config
        self._told: dict[CommandKey, set[str]] = {}

    async def tell(self, notice: Notice) -> None:
        """Send ``notice`` to each phone once; a repeat goes only to those not told yet. Raises DeviceError."""
        told = self._told.setdefault(notice.key, set())
        if len(self._told) > _REMEMBERED:
            self._told.pop(next(iter(self._told)))
        missing = [phone for phone in dict.fromkeys(self._config.phones) if phone not in told]
        errors = [error for error in await asyncio.gather(*(self._tell(notice, p, told) for p in missing)) if error]
        if errors:
            worst = min(errors, key=lambda error: _HOPE.index(type(error)))
            raise type(worst)(f"{len(errors)} of {len(self._config.phones)} phones not told: {worst.reason}")
        self._told.pop(notice.key, None)

    async def _tell(self, notice: Notice, phone: str, told: set[str]) -> DeviceError | None:
        try:
            check(self._config, await fetch(self._http, request(self._config, notice, phone)))
        except DeviceError as error:
            return error
        told.add(phone)
        return None
