"""The hub's own broker: Mosquitto as a supervised child where it is installed, amqtt for trying out where not."""

from __future__ import annotations

import asyncio
import ctypes
import os
import secrets
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from hub.durable import write_whole
from hub.model.errors import BrokerError
from hub.model.text import clean
from hub.runtime.mqtt.accounts import HUB, Account, Accounts, access_file, hashed, password_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub.runtime.tls import Pair


log = structlog.get_logger()

#: Seconds: for the port to answer, for a polite end, and longest between two starts.
START, STOP, BACKOFF = 10.0, 2.0, 8.0

#: QoS 1 messages in flight to one client, and queued for one that is away. Mosquitto 2.0.11 lets a new message overtake
#: its queue once so many are unacknowledged (storm with a backlog, docs/reliability.md): a hub is never so far behind.
IN_FLIGHT, QUEUED = 20_000, 100_000
#: Largest packet, in bytes: a Zigbee bridge lists 500 devices in about 3 MB. Larger ones end their connection at once.
PACKET = 4 * 1024 * 1024
#: Connections at one time, of whatever has an account; a site of 1,000 devices has twice that many to spare.
CONNECTIONS = 3_000
#: Seconds between two looks at the accounts: who was removed is cut off within one.
LOOK = 0.25

_MOSQUITTO = """\
# Written by the hub at every start; changes here are lost.
listener {port} {host}
max_connections {connections}
max_packet_size {packet}
sys_interval 0
set_tcp_nodelay true
max_inflight_messages {in_flight}
max_queued_messages {queued}
persistence true
persistence_location {folder}/
# Every five seconds, not on every change: docs/adr/0006 has the figures.
autosave_on_changes false
autosave_interval 5
log_dest stderr
log_type error
log_type warning
"""
_OPEN = "allow_anonymous true\n"
#: A client is known by its account's name, so that none can take over the session of another.
_CLOSED = """\
allow_anonymous false
use_username_as_clientid true
password_file {folder}/passwords
acl_file {folder}/access
"""
_TLS = """\
certfile {certificate}
keyfile {key}
tls_version tlsv1.2
"""


class Broker:
    """A child process with the broker. With ``accounts`` it lets in nobody else; without, it is for loopback only.

    ``announced`` are the topic filters of discovery; ``accounts_spoilt`` hears why the accounts cannot be read, or
    None when they can again.
    """

    def __init__(
        self,
        host: str,
        port: int,
        folder: Path,
        *,
        accounts: bool = False,
        announced: tuple[str, ...] = (),
        pair: Pair | None = None,
        accounts_spoilt: Callable[[str | None], None] = lambda _reason: None,
    ) -> None:
        self._host = host
        self._port = port
        self._folder = folder
        self._accounts = Accounts(folder) if accounts else None
        self._announced = announced
        self._pair = pair
        self._spoilt = accounts_spoilt
        self._password = secrets.token_urlsafe(32)
        self._log = folder / "broker.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where the hub reaches it."""
        host = f"[{self._near}]" if ":" in self._near else self._near
        return f"{'mqtt' if self._pair is None else 'mqtts'}://{host}:{self._port}"

    @property
    def login(self) -> tuple[str, str] | None:
        """The hub's own account, made anew with every start; None where there are no accounts."""
        return None if self._accounts is None else (HUB, self._password)

    @property
    def _near(self) -> str:
        """Its address from this machine: one that stands for all of them is none to connect to."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self._host, self._host)  # noqa: S104 - compared, not bound

    async def start(self) -> None:
        """Start the broker and wait until its port answers. Raises BrokerError."""
        await self._start()
        await self._ready()

    async def run(self) -> None:
        """Start it again whenever it ends, and follow its accounts, until cancelled; then end it."""
        delay = 0.25
        follower = asyncio.create_task(self._follow())
        try:
            while True:
                code = await self._wait()
                log.error("broker.ended", code=code, said=self._last_words())
                await asyncio.sleep(delay)
                delay = min(delay * 2, BACKOFF)
                try:
                    await self._start()
                except BrokerError as error:
                    log.error("broker.not_started", reason=str(error))
        finally:
            follower.cancel()
            await self.stop()

    def reload(self) -> None:
        """Have it read accounts, rights and certificates anew; a client that may no longer be there is cut off."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    async def _follow(self) -> None:
        """Take over every change of the accounts."""
        if self._accounts is None:
            return
        known = self._accounts.fingerprint()
        while True:
            await asyncio.sleep(LOOK)
            seen = self._accounts.fingerprint()
            if seen != known:
                known = seen
                self._write_accounts()
                self.reload()
                log.info("broker.accounts_changed")

    def _write_accounts(self) -> None:
        """Make Mosquitto's two files of ours. What cannot be read gives nobody a right."""
        assert self._accounts is not None  # noqa: S101 - called where there are accounts
        found: dict[str, Account] = {}
        try:
            found = self._accounts.read()
        except BrokerError as error:
            log.error("broker.accounts_spoilt", reason=str(error))
            self._spoilt(str(error))
        else:
            self._spoilt(None)
        write_whole(self._folder / "passwords", password_file(hashed(self._password), found).encode())
        write_whole(self._folder / "access", access_file(found, self._announced).encode())

    async def _ready(self) -> None:
        try:
            async with asyncio.timeout(START):
                while not await self._answers():
                    if self._process is None or self._process.returncode is not None:
                        raise BrokerError(f"the broker ended at once: {self._last_words()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise BrokerError(f"the broker does not answer on {self._host}:{self._port}") from None

    async def stop(self) -> None:
        """End the child; politely first, so that it saves what it holds."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _start(self) -> None:
        if await self._answers():
            raise BrokerError(
                f"another program listens on {self._host}:{self._port}; write another `mqtt.listen` into hub.yaml, "
                f"or `mqtt.url: mqtt://{self._host}:{self._port}` to use that broker"
            )
        command = self._command()
        with self._log.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=_die_along
            )

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").splitlines()
        return clean(lines[-1], 200) if lines else "it said nothing"

    async def _wait(self) -> int | None:
        return None if self._process is None else await self._process.wait()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._near, self._port)
        except OSError:
            return False
        writer.close()
        return True

    def _command(self) -> list[str]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            if self._accounts is not None or self._pair is not None:
                raise BrokerError("accounts and TLS need Mosquitto: install it, or name a broker by `mqtt.url`")
            log.warning("broker.embedded", reason="mosquitto is not installed: amqtt serves, for trying out only")
            return [sys.executable, "-m", "hub.runtime.mqtt.amqtt_child", self._host, str(self._port)]
        path = self._folder / "mosquitto.conf"
        write_whole(path, self._configuration().encode())
        return [program, "-c", str(path)]

    def _configuration(self) -> str:
        text = _MOSQUITTO.format(
            host=self._host,
            port=self._port,
            folder=self._folder,
            in_flight=IN_FLIGHT,
            queued=QUEUED,
            connections=CONNECTIONS,
            packet=PACKET,
        )
        if self._pair is not None:
            text += _TLS.format(certificate=self._pair.certificate, key=self._pair.key)
        if os.geteuid() == 0:
            text += "user root\n"  # else it changes to a user who may not write here
        if self._accounts is None:
            return text + _OPEN
        self._write_accounts()
        return text + _CLOSED.format(folder=self._folder)


_PR_SET_PDEATHSIG = 1  # prctl(2)


def _die_along() -> None:
    """In the child: end when the hub ends, however it does. Linux only; elsewhere a killed hub leaves its broker.

    Ctrl+C in a terminal is told to all of its programs at once; this one the hub ends itself, last.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
