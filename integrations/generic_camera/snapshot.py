"""A picture by HTTP."""

from __future__ import annotations

import aiohttp

from hub.sdk import DecodeError, Picture, Request, Unsupported, fetch
from integrations.generic_camera.config import Config


class SnapshotSource:
    """The camera's still-picture address."""

    label = "snapshot"

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self._http = http
        self._request = Request(
            url=config.snapshot, user=config.user, password=config.password, timeout=config.timeout_s
        )

    async def picture(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        try:
            return Picture.from_bytes(await fetch(self._http, self._request))
        except DecodeError as error:
            raise Unsupported(f"{error.reason}; check the snapshot address in a browser") from None
