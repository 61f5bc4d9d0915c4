"""Takes pictures from a camera that names their address itself."""

from __future__ import annotations

import aiohttp

from hub.sdk import DecodeError, Picture, Request, Unsupported, clean, fetch, with_login
from integrations.onvif.client import Client
from integrations.onvif.config import Config
from integrations.onvif.media import Profile, snapshot_address


class OnvifCamera:
    """One profile of a camera. ``stream`` is its RTSP address, for what will show video; empty where it has none."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        client: Client,
        config: Config,
        services: dict[str, str],
        profile: Profile,
        stream: str,
    ) -> None:
        self.stream = stream
        self._http = http
        self.client = client
        self.config = config
        self.services = services
        self.profile = profile

    @property
    def video(self) -> str:
        """Return the address of the stream with the log-in."""
        return with_login(self.stream, self.config.user, self.config.password) if self.stream else ""

    async def snapshot(self) -> Picture:
        """Ask where the picture is (cameras let addresses expire), then take it. Raises DeviceError."""
        config = self.config
        address = await self.address()
        request = Request(url=address, user=config.user, password=config.password, timeout=config.timeout_s)
        try:
            return Picture.from_bytes(await fetch(self._http, request))
        except DecodeError as error:
            raise Unsupported(error.reason) from None

    async def clock_ahead(self) -> float | None:
        """Ask the camera's clock. Raises DeviceError."""
        await self.client.read_clock()
        return self.client.ahead_s

    async def address(self) -> str:
        """Return where the next picture is. Raises DeviceError; Unsupported names the stream to use instead."""
        try:
            return await snapshot_address(self.client, self.services, self.profile)
        except Unsupported as error:
            instead = f"; its stream for generic_camera: {clean(self.stream, 120)}" if self.stream else ""
            raise Unsupported(f"no picture address: {error.reason}{instead}") from None
