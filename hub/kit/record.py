"""Real traffic into a capture, with secrets masked: messages of a broker, or the requests between hub and device."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import paho.mqtt.client as paho
from aiohttp import web
from paho.mqtt.enums import CallbackAPIVersion

from hub.model.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from paho.mqtt.reasoncodes import ReasonCode

#: Takes one line of a capture.
Write = Callable[[dict[str, Any]], None]
MASK = "***"
#: Names of headers, fields and parameters whose values nobody else should read.
_SECRET = re.compile(
    r"pass|pwd|secret|token|authori[sz]ation|cookie|nonce|api.?key|\bkey\b|psk|credential|session|auth\b", re.IGNORECASE
)
#: Headers that say how a body was sent, not what it is.
_HOP = {"connection", "transfer-encoding", "content-encoding", "content-length", "keep-alive", "date", "server"}
#: Largest body that is kept, in bytes.
_LARGEST = 256 * 1024


class RecordError(HubError):
    """Nothing can be recorded: why."""


def record_mqtt(
    url: str, filters: Iterable[str], account: tuple[str, str] | None, write: Write, seconds: float
) -> None:
    """Write what the broker at ``url`` passes on during ``seconds``. Raises OSError, RecordError when it refuses."""
    parts = urlsplit(url)
    client = paho.Client(CallbackAPIVersion.VERSION2)
    if parts.scheme == "mqtts":
        client.tls_set()
    if account is not None:
        client.username_pw_set(*account)
    refused: list[str] = []

    def connected(_client: object, _data: object, _flags: object, reason: ReasonCode, _properties: object) -> None:
        if reason.is_failure:
            refused.append(str(reason))
        for topic in filters:
            client.subscribe(topic, 1)

    def arrived(_client: object, _data: object, message: paho.MQTTMessage) -> None:
        line = {"topic": message.topic, **_payload("payload", masked_body(bytes(message.payload)))}
        write(line | ({"retained": True} if message.retain else {}))

    client.on_connect, client.on_message = connected, arrived
    client.connect(parts.hostname or "127.0.0.1", parts.port or (8883 if parts.scheme == "mqtts" else 1883))
    end = time.monotonic() + seconds
    while not refused and (left := end - time.monotonic()) > 0:
        client.loop(min(left, 0.5))
    client.disconnect()
    if refused:
        raise RecordError(f"the broker refused: {refused[0]}")


async def record_http(target: str, port: int, write: Write, ready: Callable[[str], None]) -> None:
    """Pass requests on to the device at ``target`` and record them, until cancelled. Listens on loopback only."""
    async with aiohttp.ClientSession(trust_env=False, auto_decompress=True) as http:

        async def pass_on(request: web.Request) -> web.Response:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP | {"host"}}
            url = target.rstrip("/") + request.path_qs
            async with http.request(
                request.method, url, data=await request.read(), headers=headers, allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=30),
            ) as answer:  # fmt: skip
                body = await answer.content.read(_LARGEST)
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
                write(
                    {
                        "request": {"method": request.method, "path": masked_path(request.path_qs)},
                        "response": {
                            "status": answer.status,
                            "headers": masked_fields(kept),
                            **_payload("body", masked_body(body)),
                        },
                    }
                )
                return web.Response(status=answer.status, headers=kept, body=body)

        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            ready(f"http://127.0.0.1:{runner.addresses[0][1]}")
            await asyncio.get_running_loop().create_future()
        finally:
            await runner.cleanup()


def masked_path(path: str) -> str:
    """Mask parameters of a path that look secret."""
    parts = urlsplit(path)
    query = [(name, MASK if _SECRET.search(name) else value) for name, value in parse_qsl(parts.query, True)]
    return parts._replace(query=urlencode(query, safe="*")).geturl()


def masked_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Mask header values that look secret; the scheme of a challenge stays, as it decides what the hub does."""
    masked = {}
    for name, value in fields.items():
        if name.lower() == "www-authenticate":
            masked[name] = re.sub(r'(nonce|opaque)="[^"]*"', rf'\1="{MASK}"', value)
        else:
            masked[name] = MASK if _SECRET.search(name) else value
    return masked


def masked_body(body: bytes) -> bytes:
    """Mask fields of a JSON text that look secret; anything else is kept byte for byte."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    masked = _masked(value)
    return body if masked == value else json.dumps(masked, ensure_ascii=False).encode()


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: MASK if isinstance(item, str) and _SECRET.search(key) else _masked(item) for key, item in value.items()
        }
    return [_masked(item) for item in value] if isinstance(value, list) else value


def _payload(name: str, body: bytes) -> dict[str, str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {f"{name}_b64": base64.b64encode(body).decode()}
    plain = text.isprintable() or text.lstrip().startswith(("{", "[", "<"))
    return {name: text} if plain else {f"{name}_b64": base64.b64encode(body).decode()}
