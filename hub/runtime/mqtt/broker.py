"""The hub's own broker: Mosquitto as a supervised child where it is installed, amqtt for trying out where not."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import sys
from typing import TYPE_CHECKING

import structlog

from hub.model.errors import BrokerError
from hub.model.text import clean

if TYPE_CHECKING:
    from pathlib import Path


log = structlog.get_logger()

#: Seconds: for the port to answer, for a polite end, and longest between two starts.
START, STOP, BACKOFF = 10.0, 2.0, 8.0

#: QoS 1 messages in flight to one client, and queued for one that is away. The journal remembers four times the first.
IN_FLIGHT, QUEUED = 1_000, 100_000

_MOSQUITTO = """\
# Written by the hub at every start; changes here are lost.
listener {port} {host}
allow_anonymous true
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


class Broker:
    """A child process with the broker."""

    def __init__(self, host: str, port: int, folder: Path) -> None:
        self._host = host
        self._port = port
        self._folder = folder
        self._log = folder / "broker.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://{self._host}:{self._port}"

    async def start(self) -> None:
        """Start the broker and wait until its port answers. Raises BrokerError."""
        await self._start()
        await self._ready()

    async def run(self) -> None:
        """Start it again whenever it ends, until cancelled; then end it."""
        delay = 0.25
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
            await self.stop()

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
            _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return False
        writer.close()
        return True

    def _command(self) -> list[str]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            log.warning("broker.embedded", reason="mosquitto is not installed: amqtt serves, for trying out only")
            return [sys.executable, "-m", "hub.runtime.mqtt.amqtt_child", self._host, str(self._port)]
        text = _MOSQUITTO.format(
            host=self._host, port=self._port, folder=self._folder, in_flight=IN_FLIGHT, queued=QUEUED
        )
        if os.geteuid() == 0:
            text += "user root\n"  # else it changes to a user who may not write here
        path = self._folder / "mosquitto.conf"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        return [program, "-c", str(path)]


_PR_SET_PDEATHSIG = 1  # prctl(2)


def _die_along() -> None:
    """In the child: end when the hub ends, however it does. Linux only; elsewhere a killed hub leaves its broker."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
