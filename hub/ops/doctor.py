"""``menshen doctor``: tries every integration and device of a site, and says what a technician should do next."""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from hub import plugins
from hub.config import integrations
from hub.config.site import load_secrets
from hub.config.yaml import plain
from hub.model.diagnosis import Diagnosis, Step
from hub.model.errors import BadCredentials, ConfigError, DeviceError, Unreachable
from hub.model.text import Text, clean
from hub.runtime.examine import ADVICE, way_to
from hub.runtime.hooks import Hooks
from hub.sdk import Connection, Sample, Tools, Vitals
from hub.sdk.addresses import session

if TYPE_CHECKING:
    import aiohttp
    from paho.mqtt.reasoncodes import ReasonCode

    from hub.config.settings import DeviceEntry, Settings
    from hub.runtime.sessions import SessionState

#: Seconds in which a device should have opened, and have said something.
OPENING, HEARING = 20.0, 8.0
_OPEN = Text("打开设备", "Open the device")
_HEAR = Text("等待数据", "Wait for data")
_QUIET = Text(
    "已连接，但没有收到数据：触发一次设备（开门、停车），再检查设备侧的上报设置",
    "Connected but silent: have the device sense something, then check what it is set to report",
)
_LOG_IN = Text("登录消息服务", "Log in to the broker")
_LISTEN = Text("收听消息", "Listen for messages")
_BROKER = Text(
    "消息服务拒绝登录：核对 hub.yaml 的 mqtt.user 和 secrets.yaml 里的密码",
    "The broker refuses: check mqtt.user in hub.yaml and its password in secrets.yaml",
)
_NO_MESSAGES = Text(
    "没有收到这个集成的消息：检查网关是否在线、主题前缀是否与 hub.yaml 一致",
    "No message of this integration came: is its gateway on, and is the prefix the one in hub.yaml?",
)
_MAY_NOT_HEAR = Text(
    "消息服务不允许这个账号接收：在消息服务上给账号开放这些主题",
    "The broker does not let this account hear them: allow these topics to it there",
)
_FAULT = Text(
    "集成程序出错：更新它，或把原因发给作者", "A fault in the integration: update it, or send its author the reason"
)


async def examine(settings: Settings, site: Path, broker: str | None) -> list[Diagnosis]:
    """Try everything at once; ``broker`` is the URL of the broker, None where the hub brings its own."""
    with tempfile.TemporaryDirectory(prefix="menshen-doctor-") as data:
        async with session() as http:
            devices = [
                _device(domain, entry, site, Path(data), http)
                for domain, entries in settings.devices.items()
                for entry in entries
            ]
            decoders = [_decoder(domain, settings, site, broker) for domain in settings.integrations]
            return list(await asyncio.gather(*decoders, *devices))


async def _device(domain: str, entry: DeviceEntry, site: Path, data: Path, http: aiohttp.ClientSession) -> Diagnosis:
    steps = await way_to(entry.values)
    if all(step.well for step in steps):
        steps += await _opened(domain, entry, site, data, http)
    return Diagnosis(domain, entry.name, tuple(steps))


async def _opened(domain: str, entry: DeviceEntry, site: Path, data: Path, http: aiohttp.ClientSession) -> list[Step]:
    heard: asyncio.Queue[Sample | Vitals] = asyncio.Queue()

    async def report(*said: Sample | Vitals) -> None:
        for one in said:
            heard.put_nowait(one)

    tools = Tools(http, site, data, report, partial(Hooks().open, domain, entry.name))
    try:
        async with asyncio.timeout(OPENING):
            opened = await plugins.open_device(domain, entry, tools)
    except TimeoutError:
        return [_failed(Unreachable(f"not open within {OPENING:g} s"))]
    except DeviceError as error:
        return [_failed(error)]
    except Exception as error:  # noqa: BLE001 - a plugin's fault is what this is looking for
        return [Step(_OPEN, False, clean(f"{type(error).__name__}: {error}", 160), _FAULT)]
    connection = opened if isinstance(opened, Connection) else Connection(opened)
    step = Step(_OPEN, True, ", ".join(item.entity.id for item in connection.equipment)[:160])
    try:
        return [step] if connection.run is None else [step, *await _heard(connection, heard)]
    finally:
        if connection.close is not None:
            with suppress(Exception):  # it has been said what works; closing is not part of it
                async with asyncio.timeout(5):
                    await connection.close()


async def _heard(connection: Connection, heard: asyncio.Queue[Sample | Vitals]) -> list[Step]:
    """Run a session until it says something."""
    assert connection.run is not None  # noqa: S101 - the caller has looked
    running = asyncio.ensure_future(connection.run())
    first = asyncio.ensure_future(heard.get())
    try:
        await asyncio.wait({running, first}, timeout=HEARING, return_when=asyncio.FIRST_COMPLETED)
        if first.done():
            said = first.result()
            words = f"{said.entity} = {said.value}" if isinstance(said, Sample) else f"{said.device}: {said.battery} %"
            return [Step(_HEAR, True, clean(words, 160))]
        if running.done() and (error := running.exception()) is not None:
            known = error if isinstance(error, DeviceError) else Unreachable(f"{type(error).__name__}: {error}")
            return [_failed(known)]
        return [Step(_HEAR, False, f"nothing within {HEARING:g} s", _QUIET)]
    finally:
        running.cancel()
        first.cancel()
        await asyncio.gather(running, first, return_exceptions=True)


def _failed(error: DeviceError) -> Step:
    state: SessionState = "failed"
    if isinstance(error, Unreachable):
        state = "retrying"
    elif isinstance(error, BadCredentials):
        state = "needs_credentials"
    return Step(_OPEN, False, clean(error.reason, 160), ADVICE[state])


async def _decoder(domain: str, settings: Settings, site: Path, broker: str | None) -> Diagnosis:
    try:
        plugin = integrations.plugin(domain)
    except ConfigError as error:
        return Diagnosis(domain, "", (Step(Text("载入集成", "Load the integration"), False, str(error), _FAULT),))
    if broker is None:
        answer = Text("由门神自带的消息服务接收", "Heard by the hub's own broker")
        return Diagnosis(domain, "", (Step(answer, True, "start the hub to see its devices"),))
    steps = await way_to({"url": broker})
    if all(step.well for step in steps):
        filters: list[str] = []
        for part in (plugin.decoder, plugin.uplinks):
            if part is not None:
                node = settings.integrations[domain]
                filters += part.filters(integrations.convert(node, plain(node), part.config))
        password = integrations.resolve(settings.mqtt.password, load_secrets(site))
        account = None if settings.mqtt.user is None else (settings.mqtt.user, str(password or ""))
        steps += await asyncio.to_thread(_messages, broker, account, filters)
    return Diagnosis(domain, "", tuple(steps))


def _messages(url: str, account: tuple[str, str] | None, filters: list[str]) -> list[Step]:
    """Log in to the broker and count what comes on ``filters``."""
    ear = _Ear(filters)
    try:
        ear.listen(url, account)
    except OSError as error:
        return [Step(_LOG_IN, False, error.strerror or type(error).__name__, _BROKER)]
    if ear.answer is None or ear.answer.is_failure:
        return [Step(_LOG_IN, False, "no answer" if ear.answer is None else str(ear.answer), _BROKER)]
    well, topics = Step(_LOG_IN, True, "accepted"), ", ".join(filters)
    if ear.refused:
        return [well, Step(_LISTEN, False, clean(f"refused: {', '.join(ear.refused)}", 160), _MAY_NOT_HEAR)]
    if ear.count:
        return [well, Step(_LISTEN, True, f"{ear.count} messages on {topics}")]
    return [well, Step(_LISTEN, False, f"nothing on {topics} within {HEARING:g} s", _NO_MESSAGES)]


class _Ear:
    """Hears topics until something has come and the broker has answered for each, or for ``HEARING`` seconds."""

    def __init__(self, topics: list[str]) -> None:
        self.answer: ReasonCode | None = None
        self.refused: list[str] = []
        self.count = 0
        self._topics = topics
        self._asked: dict[int | None, str] = {}

    def listen(self, url: str, account: tuple[str, str] | None) -> None:
        """Raises OSError."""
        parts = urlsplit(url)
        client = paho.Client(CallbackAPIVersion.VERSION2)
        if parts.scheme == "mqtts":
            client.tls_set()
        if account is not None:
            client.username_pw_set(*account)
        client.on_connect, client.on_subscribe, client.on_message = self._connected, self._subscribed, self._arrived
        client.connect(parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883))
        end = time.monotonic() + HEARING
        while time.monotonic() < end and not self._done:
            client.loop(0.2)
        client.disconnect()

    @property
    def _done(self) -> bool:
        if self.answer is None or self.answer.is_failure:
            return self.answer is not None
        return not self._asked and (self.count > 0 or bool(self.refused))

    def _connected(self, client: paho.Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self.answer = reason
        for topic in self._topics:
            self._asked[client.subscribe(topic)[1]] = topic

    def _subscribed(self, _client: Any, _data: Any, mid: int, reasons: list[ReasonCode], _properties: Any) -> None:
        topic = self._asked.pop(mid, "?")
        if any(reason.is_failure for reason in reasons):  # SUBACK with 0x80 (MQTT 3.1.1, 3.9.3)
            self.refused.append(topic)

    def _arrived(self, *_: Any) -> None:
        self.count += 1
