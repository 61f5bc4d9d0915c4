"""One MQTT 3.1.1 connection with a persistent session, acknowledged by hand after the journal's commit.

paho-mqtt does the protocol and asyncio waits for its socket; docs/adr/0002 tells why not aiomqtt or gmqtt.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import ssl
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec
import paho.mqtt.client as paho
import structlog
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable

log = structlog.get_logger()

#: Seconds of silence after which the broker is asked whether it is there.
KEEPALIVE = 15
#: Seconds of silence after which it is taken for dead, as it takes us (MQTT 3.1.1, 3.1.2.10); paho waits for twice.
DEAD = KEEPALIVE * 1.5
#: Seconds between attempts to connect: first and longest.
BACKOFF = (0.25, 3.0)
#: Seconds in which a broker must answer a connection. With the longest pause: found again within 10 s of its return.
PATIENCE = 6
#: Topic filters in one SUBSCRIBE, well below the 64 KiB that small brokers take.
CHUNK = 200


class Arrival(msgspec.Struct, frozen=True):
    """One message as it came in."""

    topic: str
    payload: bytes
    qos: int
    retained: bool
    duplicate: bool
    """The broker sent it before (DUP flag)."""
    mid: int
    connection: int
    """Which connection it came on; an acknowledgement never goes to another one."""


class LinkUser(Protocol):
    """Who hears what the link receives."""

    def arrived(self, arrival: Arrival) -> None:
        """One message; it stays unacknowledged until ``Link.acknowledge``."""

    def connected(self, *, resumed: bool) -> None:
        """A connection is up, nothing was received on it yet. Not ``resumed``: the broker knows nothing of before."""

    def lost(self, reason: str) -> None:
        """The connection is gone; what devices say now is heard later or never."""

    def refused(self, topics: tuple[str, ...]) -> None:
        """The broker does not let us hear these topics."""

    def synced(self, *, resumed: bool) -> None:
        """Everything that the broker had kept for us was delivered. ``resumed``: it had kept our session."""

    @property
    def full(self) -> bool:
        """Whether to stop reading."""
        ...

    async def room(self) -> None:
        """Wait until reading makes sense again."""


class Link:
    """A connection that comes back by itself."""

    def __init__(
        self,
        url: str,
        client_id: str,
        user: LinkUser,
        *,
        username: str | None = None,
        password: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (8883 if parts.scheme == "mqtts" else 1883)
        self._user = user
        self._sync_topic = f"menshen/{client_id}/sync"
        self._filters: dict[str, None] = {self._sync_topic: None}
        self._asked: dict[int, list[str]] = {}
        """Topic filters of each SUBSCRIBE that the broker has not answered, by packet identifier."""
        self._connection = 0
        self._resumed = False
        self._nonce = b""
        self._closed = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._paused = False
        self._socket: socket.socket | None = None
        self._waiting: asyncio.Task[None] | None = None
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            clean_session=False,
            protocol=paho.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if parts.scheme == "mqtts":
            client.tls_set_context(tls)  # without one: the authorities of the system, and names are compared
        if username is not None:
            client.username_pw_set(username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_socket_register_write
        client.on_socket_unregister_write = self._on_socket_unregister_write
        self._client = client
        self.connected = False
        self._heard = 0.0
        """When anything came last, by the loop's clock."""

    @property
    def unconfirmed(self) -> int:
        """How many topics the broker has not answered for: what is said on them until then, it keeps for nobody."""
        return sum(map(len, self._asked.values()))

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        delay = BACKOFF[0]
        try:
            while True:
                self._closed.clear()
                try:
                    # in a thread, because paho resolves names and connects while it blocks
                    await asyncio.to_thread(self._client.connect, self._host, self._port, KEEPALIVE)
                except (OSError, ValueError) as error:
                    self._user.lost(f"{type(error).__name__}")
                else:
                    if await self._serve():
                        delay = BACKOFF[0]
                await asyncio.sleep(delay * random.uniform(0.8, 1.2))  # noqa: S311 - spreads reconnects, no secret
                delay = min(delay * 2, BACKOFF[1])
        finally:
            if self._waiting is not None:
                self._waiting.cancel()
            self.connected = False  # going on purpose is no loss
            self._client.disconnect()

    async def _serve(self) -> bool:
        """Keep the connection alive until it is gone; tell whether it ever was up."""
        was_up = False
        given_up = self._loop.time() + PATIENCE
        while not self._closed.is_set():
            if self._client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                break
            if not self.connected and self._loop.time() > given_up:
                self._user.lost("the broker does not answer")
                self._client.disconnect()
                break
            if self.connected and not self._paused and self._loop.time() > self._heard + DEAD:
                self.connected = False
                self._user.lost("nothing is heard of the broker")
                self._client.disconnect()
                return True
            was_up = was_up or self.connected
            try:
                async with asyncio.timeout(1):
                    await self._closed.wait()
            except TimeoutError:
                continue
        return was_up

    def subscribe(self, filters: Iterable[str]) -> None:
        """Hear of these topics from now on, at QoS 1. Not from within a callback of paho's."""
        new = [topic for topic in filters if topic not in self._filters]
        self._filters.update(dict.fromkeys(new))
        if self.connected and new:
            self._send_subscribe(new)
            # at once, not two turns of the loop later: a device that has just announced itself may speak already
            self._client.loop_write()

    def unsubscribe(self, filters: Iterable[str]) -> None:
        """Hear of these topics no more."""
        gone = [topic for topic in filters if self._filters.pop(topic, self) is None]
        if self.connected and gone:
            self._client.unsubscribe(gone)

    def acknowledge(self, arrival: Arrival) -> None:
        """Tell the broker that the message is safe. Nothing is sent on a connection it did not come from."""
        if arrival.qos and arrival.connection == self._connection and self.connected:
            self._client.ack(arrival.mid, arrival.qos)

    def _send_subscribe(self, filters: list[str]) -> None:
        for start in range(0, len(filters), CHUNK):
            chunk = filters[start : start + CHUNK]
            _, mid = self._client.subscribe([(topic, 1) for topic in chunk])
            if mid is not None:  # else the connection is gone: all is asked for on the next one
                self._asked[mid] = chunk

    # paho's callbacks, all on the loop's thread but for the socket's opening

    def _on_connect(self, _client: paho.Client, _data: Any, flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._user.lost(str(reason))
            return
        self.connected = True
        self._connection += 1
        self._resumed = bool(flags.session_present)
        self._asked.clear()
        self._user.connected(resumed=self._resumed)
        self._send_subscribe(list(self._filters))
        self._nonce = secrets.token_bytes(8)
        # It comes back behind everything that the broker had queued for this session: then we are up to date.
        self._client.publish(self._sync_topic, self._nonce, qos=1)
        log.info("mqtt.connected", resumed=self._resumed)

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if self.connected:
            self._user.lost(str(reason))
        self.connected = False
        self._closed.set()

    def _on_subscribe(self, _client: paho.Client, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        answers = zip(self._asked.pop(mid, []), reasons, strict=False)  # a broker may answer anything
        if refused := tuple(topic for topic, reason in answers if reason.is_failure):
            self._user.refused(refused)

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = "\N{REPLACEMENT CHARACTER}"
        arrival = Arrival(
            topic, bytes(message.payload), message.qos, message.retain, message.dup, message.mid, self._connection
        )
        if topic == self._sync_topic:
            self._client.ack(message.mid, message.qos)
            if message.payload == self._nonce:
                self._user.synced(resumed=self._resumed)
            return
        self._user.arrived(arrival)
        if self._user.full and not self._paused and self._socket is not None:
            self._paused = True
            self._loop.remove_reader(self._socket)
            self._waiting = self._loop.create_task(self._continue(self._socket))

    async def _continue(self, sock: socket.socket) -> None:
        """Read on when there is room: backpressure reaches the broker, which queues for us."""
        await self._user.room()
        self._paused = False
        if self._socket is sock:
            self._add_reader(sock)

    def _on_socket_open(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        # without TCP_NODELAY an answer waits for the next message (PEERS.md section 1.3)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = sock
        self._paused = False
        self._loop.call_soon_threadsafe(self._add_reader, sock)

    def _add_reader(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:  # it may be closed again by now
            self._heard = self._loop.time()  # silence counts while we listen
            self._loop.add_reader(sock, self._read)

    def _read(self) -> None:
        self._heard = self._loop.time()
        self._client.loop_read()

    def _on_socket_close(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._socket = None
        self._loop.remove_reader(sock)
        self._loop.remove_writer(sock)

    def _on_socket_register_write(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._add_writer, sock)

    def _add_writer(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.add_writer(sock, self._client.loop_write)

    def _on_socket_unregister_write(self, _client: paho.Client, _data: Any, sock: Any) -> None:
        self._loop.call_soon_threadsafe(self._remove_writer, sock)

    def _remove_writer(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:
            self._loop.remove_writer(sock)
