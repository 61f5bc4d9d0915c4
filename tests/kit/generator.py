"""A fast device farm: one connection that sends QoS 1 messages and knows which of them the broker has taken."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.kit.served import Waiting


class Generator:
    """Publishes; as a context manager it waits until the broker has taken everything."""

    def __init__(self, port: int) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2, clean_session=True)
        self._client.max_inflight_messages_set(1_000)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        self._up = threading.Event()
        self._sent = 0
        self._taken = 0
        self._client.connect("127.0.0.1", port)

    def send(self, topic: str, payload: str | bytes, *, retain: bool = False) -> None:
        """Send one message."""
        self._sent += 1
        self._client.publish(topic, payload, qos=1, retain=retain)

    def flush(self, within: float = 30) -> None:
        """Wait until the broker has acknowledged everything that was sent."""
        waiting = Waiting(within)
        while self._taken < self._sent:
            assert not waiting.over, f"the broker took {self._taken} of {self._sent}"
            time.sleep(0.005)

    def __enter__(self) -> Self:
        self._client.loop_start()
        assert self._up.wait(30), "the broker does not answer"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._client.disconnect()
            self._client.loop_stop()

    def _on_connect(self, *_: Any) -> None:
        self._up.set()

    def _on_publish(self, *_: Any) -> None:
        self._taken += 1
