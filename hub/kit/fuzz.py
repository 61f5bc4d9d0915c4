"""Throws nonsense and hostile text at a decoder: recorded messages with parts replaced, cut, swollen or made up."""

from __future__ import annotations

import base64
import json
import random
from typing import TYPE_CHECKING, Any

from hub.kit import promises
from hub.model.errors import DecodeError
from hub.sdk import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.kit.captures import Line
    from hub.sdk import Plugin, Route

#: Text that has broken a terminal, a page, a path, a query or a template before.
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07", "\u202egnp.exe", "<script>alert(1)</script>", "../../etc/passwd", "{{7*7}}",
    "${jndi:x}", "'; DROP TABLE readings;--", "\x00", "a" * 5_000, "门" * 600, "\n\r\n", "",
)  # fmt: skip
_NUMBERS = (0, -1, 2**63, -(2**70), 1e308, 0.1, True, None)
_RAW = (
    b"",
    b"\x00",
    b"\xff\xfe\xfd",
    b"[" * 30_000,
    b'{"a":' * 5_000,
    b"NaN",
    b"1e999",
    b"null",
    b"[]",
    b"{}",
    b"true",
)
#: Broken promises of one run that are told; more say nothing new.
_TOLD = 5


class Fuzzer:
    """Deterministic for one seed, so that what it finds can be found again."""

    def __init__(self, plugin: Plugin, config: Any, seed: int) -> None:
        self._plugin = plugin
        self._config = config
        self._chance = random.Random(seed)  # noqa: S311 - no secret is made of it
        self._routes: list[Route] = []

    def run(self, lines: list[Line], rounds: int) -> list[str]:
        """Return the first broken promises, each with the message that broke it."""
        messages = [line.message for line in lines if "topic" in line.said]
        broken: list[str] = []
        for message in messages:  # as recorded first, so that there are routes to be fuzzed
            broken += self._feed(message)
        for _ in range(rounds if messages else 0):
            message = self._chance.choice(messages)
            if self._plugin.uplinks is not None and self._chance.random() < 0.1:
                broken += self._feed(Message(self._renamed(message.topic), message.payload, message.retained))
                continue
            broken += self._feed(Message(message.topic, self._twisted(message.payload), message.retained))
            if len(broken) >= _TOLD:
                break
        return broken[:_TOLD]

    def _feed(self, message: Message) -> list[str]:
        try:
            return [f"{sentence} (message {_shown(message)})" for sentence in self._decode(message)]
        except DecodeError as error:
            return [*promises.of_text(error.reason, "the reason of a DecodeError", promises.LONGEST_REASON)]
        except Exception as error:  # noqa: BLE001 - any other error is what this is looking for
            return [f"{type(error).__name__} instead of a DecodeError for {_shown(message)}: {error}"]

    def _decode(self, message: Message) -> Iterator[str]:
        decoder, uplinks = self._plugin.decoder, self._plugin.uplinks
        routes = [route for route in self._routes if route.topic == message.topic]
        if routes:
            for route in routes:
                if route.decode(message) != route.decode(message):
                    yield "decoding twice gave two answers: a decoder must be pure"
        elif uplinks is not None:
            uplink = uplinks.decode(message, self._config)
            yield from promises.of_devices(self._plugin.domain, (uplink.device,), routed=False)
            yield from promises.of_said(uplink.device.entities, uplink.said)
        elif decoder is not None:
            found = decoder.announce(message, self._config)
            yield from promises.of_devices(self._plugin.domain, found.devices, routed=True)
            for sentence in found.refused:
                yield from promises.of_text(sentence, "a refusal")
            self._routes += [route for device in found.devices for route in device.routes][: 50 - len(self._routes)]

    def _renamed(self, topic: str) -> str:
        """Replace one level of a topic by text that a client may publish on: no wildcard, no NUL (MQTT 3.1.1, 4.7)."""
        levels = topic.split("/")
        text = self._chance.choice([text for text in HOSTILE if text and not set(text) & set("+#\0/")])
        levels[self._chance.randrange(len(levels))] = text
        return "/".join(levels)

    def _twisted(self, payload: bytes) -> bytes:
        match self._chance.randrange(5):
            case 0:
                return self._chance.choice(_RAW)
            case 1:
                return payload[: self._chance.randrange(len(payload) + 1)]
            case 2:
                spoiled = bytearray(payload or b"\0")
                spoiled[self._chance.randrange(len(spoiled))] = self._chance.randrange(256)
                return bytes(spoiled)
            case _:
                return self._rewritten(payload)

    def _rewritten(self, payload: bytes) -> bytes:
        """Replace one part of a JSON text, keys and base64 included."""
        try:
            value = json.loads(payload)
        except ValueError:
            return self._chance.choice(HOSTILE).encode()
        return json.dumps(self._replaced(value), ensure_ascii=False).encode("utf-8", "replace")

    def _replaced(self, value: Any) -> Any:
        if isinstance(value, dict) and value and self._chance.random() < 0.85:
            key = self._chance.choice(list(value))
            changed = dict(value)
            if self._chance.random() < 0.1:
                changed[self._chance.choice(HOSTILE)] = changed.pop(key)
            elif self._chance.random() < 0.1:
                del changed[key]
            else:
                changed[key] = self._replaced(value[key])
            return changed
        if isinstance(value, list) and value and self._chance.random() < 0.85:
            at = self._chance.randrange(len(value))
            return [*value[:at], self._replaced(value[at]), *value[at + 1 :]]
        return self._leaf()

    def _leaf(self) -> Any:
        match self._chance.randrange(5):
            case 0:
                return self._chance.choice(_NUMBERS)
            case 1:
                return [] if self._chance.random() < 0.5 else {"a": [{}]}
            case 2:
                return base64.b64encode(self._chance.randbytes(self._chance.randrange(64))).decode()
            case _:
                return self._chance.choice(HOSTILE)


def _shown(message: Message) -> str:
    return f"{message.topic!r} {message.payload[:120]!r}"
