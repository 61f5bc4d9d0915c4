"""Devices that announce a service by mDNS (RFC 6762, 6763), through zeroconf."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING

from hub.discovery.matchers import Matcher, match
from hub.model.found import Found, Source

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from zeroconf import ServiceStateChange, Zeroconf
    from zeroconf.asyncio import AsyncServiceInfo

#: Services that are shown although no integration adopts them yet: people look for the device they have just bought.
COMMON = ("_rtsp._tcp.local.", "_axis-video._tcp.local.", "_esphomelib._tcp.local.", "_mqtt._tcp.local.")
#: Milliseconds that a device gets to tell its address.
ASKING = 3_000
#: Longest name of a service instance, in characters (RFC 6763, section 7.2).
LONGEST_NAME = 256
#: Devices that are asked at the same time.
AT_ONCE = 8


async def browse(
    known: Iterable[Matcher], interfaces: tuple[str, ...], see: Callable[[Found], Awaitable[None]]
) -> None:
    """Listen on ``interfaces`` (their addresses) until cancelled. Raises OSError when one is not there."""
    from zeroconf import IPVersion  # 0.1 s, and not every site looks for devices
    from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

    known = tuple(known)
    types = sorted({*COMMON, *(one.pattern for one in known if one.source is Source.MDNS)})
    asked = asyncio.Semaphore(AT_ONCE)

    async def ask(zeroconf: Zeroconf, service: str, name: str) -> None:
        info = AsyncServiceInfo(service, name)
        async with asked:
            if await info.async_request(zeroconf, ASKING):
                await see(found(known, info))

    async with (
        AsyncZeroconf(interfaces=list(interfaces), ip_version=IPVersion.V4Only) as zeroconf,
        asyncio.TaskGroup() as tasks,
    ):

        def changed(zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
            if state_change.name != "Removed" and len(name) < LONGEST_NAME:
                tasks.create_task(ask(zeroconf, service_type, name))

        browser = AsyncServiceBrowser(zeroconf.zeroconf, types, handlers=[changed])
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await browser.async_cancel()


def found(known: Iterable[Matcher], info: AsyncServiceInfo) -> Found:
    """Make what was found of an answer. Its identity is the service's name, or the MAC address or serial it tells."""
    told = {key.decode("utf-8", "replace").lower(): (value or b"").decode("utf-8", "replace")
            for key, value in info.properties.items()}  # fmt: skip
    identity = next((told[key] for key in ("macaddress", "mac", "serial", "sn") if told.get(key)), info.name)
    addresses = [address for address in info.parsed_addresses() if ip_address(address).version == 4]
    port = info.port or 0
    properties: dict[str, str | int] = {"port": port}
    if addresses:
        secure = info.type.startswith("_https.") or port == 443
        properties |= {"host": addresses[0], "url": f"{'https' if secure else 'http'}://{addresses[0]}:{port}/"}
    return match(
        known,
        Source.MDNS,
        (info.type,),
        identity=identity,
        name=info.name.removesuffix(f".{info.type}"),
        facts={"service": info.type.removesuffix(".local."), "address": f"{', '.join(addresses)}:{port}", **told},
        properties=properties,
    )
