"""Joins the integrations that a site names with the runtime: their configuration typed, their secrets in place."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from hub.config import integrations
from hub.config.site import load_secrets
from hub.config.yaml import plain
from hub.discovery.matchers import Matcher
from hub.discovery.matchers import matchers as discovery_matchers
from hub.model.errors import BadCredentials, ConfigError, DeviceError, Unsupported
from hub.model.found import Found, Source
from hub.model.text import Text, clean
from hub.runtime.intake import Decoder
from hub.runtime.isolation.decoding import DecoderProcess
from hub.runtime.isolation.moving import Mover
from hub.runtime.isolation.parent import isolated
from hub.runtime.isolation.wire import Open, WorkerError
from hub.runtime.sessions import DeviceSession
from hub.sdk import Newcomer, Sample, Tools, Vitals

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    import aiohttp

    from hub.config.settings import DeviceEntry, Settings
    from hub.runtime.hooks import Hooks
    from hub.runtime.intake import Intake
    from hub.runtime.problems import Problems
    from hub.runtime.reports import Reports
    from hub.sdk import FirmwareKeeper, Surroundings


@dataclass(frozen=True, slots=True)
class Lender:
    """What the tools of every device are made of."""

    http: aiohttp.ClientSession
    site: Path
    data: Path
    reports: Reports
    hooks: Hooks
    see: Callable[[Found], Awaitable[None]]
    """Puts a device into the inbox."""
    surroundings: Surroundings | None = None

    def tools(self, domain: str, name: str) -> Tools:
        """Return the tools of one configured device."""

        async def report(*said: Sample | Vitals) -> None:
            await self.reports.take(domain, name, said)

        async def report_marked(bookmarks: Mapping[str, str], *said: Sample | Vitals) -> None:
            await self.reports.take(domain, name, said, bookmarks)

        async def found(newcomer: Newcomer) -> None:
            facts = {clean(key, 40): clean(value) for key, value in newcomer.facts.items()}
            identity, shown = clean(newcomer.identity), clean(newcomer.name)
            await self.see(Found(Source.SESSION, identity, shown, domain, facts, newcomer.values))

        return Tools(
            http=self.http,
            site=self.site,
            data=self.data / "devices" / domain,
            report=report,
            receive=partial(self.hooks.open, domain, name),
            found=found,
            report_marked=report_marked,
            surroundings=self.surroundings,
            bookmarks=partial(self.reports.bookmarks, domain, name),
        )


async def decoders(
    settings: Settings, problems: Problems, site: Path, data: Path, stack: AsyncExitStack
) -> tuple[Decoder, ...]:
    """Return the decoders of MQTT messages that the site names. One that cannot be imported stops no other."""
    found = []
    for domain, node in settings.integrations.items():
        try:
            if integrations.manifest(domain).isolation == "process":
                found.append(await _decoder_process(domain, plain(node), problems, (site, data), stack))
                continue
            plugin = integrations.plugin(domain)
        except (ConfigError, DeviceError, WorkerError) as error:
            problems.raise_(f"integration.{domain}", Text(f"集成 {domain} 无法使用：{error}", f"{domain}: {error}"))
            continue
        if (part := plugin.decoder) is not None:
            config = integrations.convert(node, plain(node), part.config)
            found.append(Decoder(domain, part.filters(config), announce=partial(_read, part.announce, config)))
        if (uplinks := plugin.uplinks) is not None:
            config = integrations.convert(node, plain(node), uplinks.config)
            found.append(Decoder(domain, uplinks.filters(config), decode=partial(_read, uplinks.decode, config)))
    return tuple(found)


async def _decoder_process(
    domain: str, values: Any, problems: Problems, folders: tuple[Path, Path], stack: AsyncExitStack
) -> Decoder:
    """Start a decoder that wants a process of its own. Raises DeviceError, WorkerError."""
    process = _process(domain, values, problems, folders)
    opened = await process.open()
    stack.push_async_callback(process.close)
    return Decoder(domain, opened.filters, process=process, uplinks=opened.uplinks)


def _process(domain: str, values: Any, problems: Problems, folders: tuple[Path, Path]) -> DecoderProcess:
    site, data = folders
    what = Open(domain, "", values or {}, str(site), str(data), str(site / "integrations"))
    return DecoderProcess((sys.executable, "-m", "hub.worker"), what, problems)


def mover(settings: Settings, intake: Intake, problems: Problems, folders: tuple[Path, Path]) -> Mover:
    """Return what gives decoders a process of their own while the hub runs; those that did not start are tried again.

    ``folders`` are the site's and that of the data.
    """

    def make(domain: str) -> DecoderProcess:
        return _process(domain, plain(settings.integrations[domain]), problems, folders)

    found = Mover(make, intake.host, intake.in_loop, problems)
    found.again(domain for domain in settings.integrations if _isolated(domain) and not intake.reads(domain))
    return found


def _isolated(domain: str) -> bool:
    try:
        return integrations.manifest(domain).isolation == "process"
    except ConfigError:
        return False  # it is shown as what it is: not usable


def sessions(settings: Settings, lender: Lender) -> tuple[DeviceSession, ...]:
    """Return the devices that the site names, not open yet."""
    return tuple(
        DeviceSession(
            domain,
            entry.name,
            partial(open_device, domain, entry, lender.tools(domain, entry.name)),
            entry.values,
            partial(lender.hooks.close, domain, entry.name),
        )
        for domain, entries in settings.devices.items()
        for entry in entries
    )


def firmware(settings: Settings) -> FirmwareKeeper | None:
    """Return what keeps the firmware of the site's devices, as soon as one of them was opened."""
    for domain in settings.devices:
        with suppress(ConfigError):  # a plugin that cannot be imported keeps nothing
            keeper = integrations.plugin(domain).firmware
            if keeper is not None:
                return keeper
    return None


def matchers() -> tuple[Matcher, ...]:
    """Return what the manifests of all integrations say of how their devices are found."""
    return tuple(
        matcher
        for domain in integrations.known()
        for matcher in discovery_matchers(domain, integrations.manifest(domain).discovery)
    )


def _read(function: Callable[[Any, Any], Any], config: Any, message: Any) -> Any:
    return function(message, config)


async def open_device(domain: str, entry: DeviceEntry, tools: Tools) -> Any:
    """Open one device with its secrets in place. Raises DeviceError, and whatever its plugin raises."""
    try:
        values = integrations.resolve(entry.values, load_secrets(tools.site))
    except KeyError as error:
        raise BadCredentials(f"secrets.yaml has no `{error.args[0]}`") from None
    if integrations.manifest(domain).isolation == "process":
        what = Open(domain, entry.name, values, str(tools.site), str(tools.data), str(tools.site / "integrations"))
        return await isolated((sys.executable, "-m", "hub.worker"), what, tools.report, tools.receive)
    try:
        part = integrations.plugin(domain).session
    except ConfigError as error:
        raise Unsupported(str(error)) from None
    if part is None:
        raise Unsupported(f"{domain} has no devices")
    config = integrations.convert(entry.node, values, part.config)
    return await part.connect(entry.name, config, tools)
