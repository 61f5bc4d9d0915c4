"""Still pictures: ``GET /cgi-bin/snapshot.cgi?channel=<channel from 1>``."""

from __future__ import annotations

from urllib.parse import urlsplit

import aiohttp

from hub.sdk import DecodeError, Picture, Request, Unsupported, fetch, with_login
from integrations.dahua.config import Config


class DahuaCamera:
    """One channel."""

    def __init__(self, http: aiohttp.ClientSession, base: str, config: Config) -> None:
        self._http = http
        # Dahua RTSP addresses: channel from 1, subtype 0 for the main stream, port 554
        host = f"[{name}]" if ":" in (name := urlsplit(base).hostname or "") else name
        stream = f"rtsp://{host}:554/cam/realmonitor?channel={config.channel}&subtype=0"
        self.video = with_login(stream, config.user, config.password)
        """Address of the stream; holds the password."""
        self._request = Request(
            f"{base}/cgi-bin/snapshot.cgi?channel={config.channel}",
            user=config.user,
            password=config.password,
            timeout=config.timeout_s,
        )

    async def snapshot(self) -> Picture:
        """Take one picture now. Raises DeviceError."""
        try:
            return Picture.from_bytes(await fetch(self._http, self._request))
        except DecodeError as error:
            raise Unsupported(error.reason) from None
