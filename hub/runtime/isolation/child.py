"""The inside of a plugin's process: opens one device, does what the hub asks, and hands on what the device says."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.text import clean
from hub.runtime.isolation.reading import Reading
from hub.runtime.isolation.wire import (
    METHODS,
    Answered,
    Brought,
    Call,
    Cancel,
    Close,
    Failed,
    Open,
    Opened,
    Ping,
    Pong,
    Pushed,
    Read,
    Reported,
    Taken,
    ToHub,
    WorkerError,
    failure,
    read_frame,
    said,
    to_worker,
    write_frame,
)
from hub.sdk import Clip, Connection, Equipment, Notice, PushAnswer, Sample, Vitals

if TYPE_CHECKING:
    from hub.sdk import Driver
    from hub.sdk.tools import PushHandler, Report

#: Opens the device of an Open with these ways to report and receive.
Opener = Callable[
    [Open, "Report", Callable[["PushHandler"], str]], Awaitable[Connection | tuple[Equipment, ...] | Reading]
]


async def serve(connection: socket.socket, opener: Opener) -> None:
    """Serve the hub at the other end of ``connection`` until it is gone or says Close."""
    reader, writer = await asyncio.open_connection(sock=connection)
    try:
        await _Child(reader, writer, opener).run()
    except WorkerError:
        pass  # the hub is gone, and so is the reason to be here
    finally:
        writer.close()


class _Child:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, opener: Opener) -> None:
        self._reader = reader
        self._writer = writer
        self._opener = opener
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._handler: PushHandler | None = None
        self._drivers: dict[str, Driver] = {}
        self._reading: Reading | None = None
        self._tasks: dict[int, asyncio.Future[None]] = {}

    async def run(self) -> None:
        first = to_worker(await read_frame(self._reader))
        if not isinstance(first, Open):
            raise WorkerError("the first message must open a device")
        device = asyncio.ensure_future(self._device(first))
        try:
            while not isinstance(message := to_worker(await read_frame(self._reader)), Close):
                if isinstance(message, Ping):
                    self._send(Pong())
                elif isinstance(message, Taken):
                    self._waiting.pop(message.id).set_result(None)
                elif isinstance(message, Call):
                    self._start(message.id, self._call(message))
                elif isinstance(message, Pushed):
                    self._start(message.id, self._push(message))
                elif isinstance(message, Read) and self._reading is not None:
                    heard = self._reading.read(message.message, routed=message.routed)
                    self._send(Answered(message.id, msgspec.msgpack.encode(heard)))
                elif isinstance(message, Cancel) and message.id in self._tasks:
                    self._tasks[message.id].cancel()
        finally:
            device.cancel()
            await asyncio.gather(device, *self._tasks.values(), return_exceptions=True)

    async def _device(self, first: Open) -> None:
        """Open the device, run it, close it; tell the hub how it ended."""
        try:
            opened = await self._opener(first, self._report, lambda handler: self._receive(first, handler))
            if isinstance(opened, Reading):
                self._reading = opened
                self._send(
                    Opened((), runs=False, receives=False, filters=opened.filters, uplinks=opened.decode is not None)
                )
                return
            connection = opened if isinstance(opened, Connection) else Connection(opened)
            self._drivers = {item.entity.id: item.driver for item in connection.equipment if item.driver is not None}
            brought = tuple(Brought(item.entity, _methods(item.driver)) for item in connection.equipment)
            self._send(Opened(brought, connection.run is not None, self._handler is not None))
            try:
                await (connection.run() if connection.run is not None else asyncio.get_running_loop().create_future())
            finally:
                if connection.close is not None:
                    await connection.close()
            self._send(Failed("Unreachable", "the integration ended its session"))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is told to the hub
            self._send(failure(error))

    async def _report(self, *parts: Sample | Vitals) -> None:
        number = next(self._numbers)
        taken = self._waiting[number] = asyncio.get_running_loop().create_future()
        samples = tuple(said(part) for part in parts if isinstance(part, Sample))
        self._send(Reported(number, samples, tuple(part for part in parts if isinstance(part, Vitals))))
        await self._writer.drain()
        await taken

    def _receive(self, first: Open, handler: PushHandler) -> str:
        self._handler = handler
        return f"/hooks/{first.domain}/{first.name}"

    async def _call(self, call: Call) -> None:
        try:
            method = getattr(self._drivers[call.entity], call.method)
            result = await method(*_arguments(call))
            self._send(Answered(call.id, b"" if result is None else msgspec.msgpack.encode(result)))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is told to the hub
            self._send(Answered(call.id, failed=failure(error)))

    async def _push(self, pushed: Pushed) -> None:
        try:
            answer = PushAnswer(404) if self._handler is None else await self._handler(pushed.push)
            self._send(Answered(pushed.id, msgspec.msgpack.encode(answer)))
        except Exception as error:  # noqa: BLE001 - whatever a plugin raises is told to the hub
            self._send(Answered(pushed.id, failed=failure(error)))

    def _send(self, message: ToHub) -> None:
        try:
            write_frame(self._writer, message)
        except WorkerError as error:
            number = message.id if isinstance(message, Answered) else 0
            write_frame(self._writer, Answered(number, failed=Failed("DeviceError", clean(str(error), 200))))

    def _start(self, number: int, work: Awaitable[None]) -> None:
        task = self._tasks[number] = asyncio.ensure_future(work)
        task.add_done_callback(lambda _: self._tasks.pop(number, None))


def _methods(driver: Driver | None) -> Any:
    return tuple(name for name in METHODS if hasattr(driver, name))


def _arguments(call: Call) -> tuple[Any, ...]:
    if call.method == "play":
        return msgspec.msgpack.decode(call.body, type=tuple[Clip, int, str])
    if call.method == "hold":
        return msgspec.msgpack.decode(call.body, type=tuple[float, str])
    if call.method == "tell":
        return msgspec.msgpack.decode(call.body, type=tuple[Notice])
    return ()
