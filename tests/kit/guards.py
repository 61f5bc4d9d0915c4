"""What no test may do, whoever wrote it: leave a task or timer behind, log a broken line, talk beyond this machine.

A plugin of pytest; the ``conftest.py`` beside ``pyproject.toml`` loads it for all tests, those of integrations too.
"""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

#: Names that mean this machine.
HOME = {"localhost", "", None}
#: Multicast groups that end at the next router (RFC 2365); the tests of loudspeakers send to them on loopback.
SCOPED = ipaddress.ip_network("239.0.0.0/8")
#: aiohttp leaves the last heartbeat of a socket that the server closed; it finds it closed and does nothing.
HARMLESS = "WebSocketResponse._send_heartbeat"
#: Turns of the loop that a test's last callbacks get.
GRACE = 20

_abroad: list[str] = []
_unformatted: list[str] = []


def is_home(host: object) -> bool:
    """Tell whether an address of a socket stays on this machine; paths of Unix sockets do."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in HOME:
        return True
    try:
        address = ipaddress.ip_address(str(host).partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address in SCOPED


def _is_refused(sock: socket.socket, host: object) -> bool:
    """Broadcasts never leave a socket that did not ask for them (socket(7), SO_BROADCAST)."""
    return host == "255.255.255.255" and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)


def _is_looped(sock: socket.socket, host: object) -> bool:
    """A multicast of a socket that sends them by the loopback interface stays here (ip(7), IP_MULTICAST_IF)."""
    try:
        if not ipaddress.ip_address(str(host)).is_multicast or sock.family != socket.AF_INET:
            return False
    except ValueError:
        return False
    return sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, 4) == socket.inet_aton("127.0.0.1")


def _guarded(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: socket.socket, *arguments: Any) -> Any:
        address = arguments[-1]
        network = self.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple)
        kept = is_home(address[0]) or _is_refused(self, address[0]) or _is_looped(self, address[0]) if network else True
        if not kept:
            _abroad.append(f"socket.{name}({address!r})")
            raise PermissionError(f"a test wanted to {name} to {address!r}")
        return original(self, *arguments)

    return method


def _looked_up(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        literal = isinstance(host, str | bytes) and not any(c.isalpha() for c in str(host).removeprefix("b"))
        if not is_home(host) and not literal and ":" not in str(host):
            _abroad.append(f"getaddrinfo({host!r})")
            raise socket.gaierror(socket.EAI_NONAME, f"a test wanted to look up {host!r}")
        return original(host, *arguments, **options)

    return getaddrinfo


class _Formatter(logging.Handler):
    """Formats every line, as a handler of the running hub would."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            record.getMessage()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the line, it is told
            _unformatted.append(f"{record.name}: {record.msg!r} % {record.args!r}: {error}")


@pytest.fixture(scope="session", autouse=True)
def _installed() -> Iterator[None]:
    """Put the guards in place for the whole session."""
    handler = _Formatter()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "bind", "sendto"):
            patch.setattr(socket.socket, name, _guarded(name, getattr(socket.socket, name)))
        patch.setattr(socket, "getaddrinfo", _looked_up(socket.getaddrinfo))
        logging.getLogger().addHandler(handler)
        yield
        logging.getLogger().removeHandler(handler)


@pytest.fixture(autouse=True)
def stays_home_and_logs_well() -> Iterator[None]:
    """Fail a test that spoke to another machine or logged a line that cannot be formatted."""
    _abroad.clear()
    _unformatted.clear()
    yield
    assert not _abroad, f"beyond this machine: {_abroad}"
    assert not _unformatted, f"broken log lines: {_unformatted}"


@pytest.fixture
async def nothing_left_behind() -> AsyncIterator[None]:
    """Fail a test after which a task or a timer lives on. Set up first, so it looks last."""
    yield
    left = await leftovers()
    assert not left, f"left behind: {left}"


async def leftovers() -> list[str]:
    """Return the tasks and timers of the running loop other than our own."""
    for _ in range(GRACE):
        await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    tasks = [repr(task) for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    timers = [repr(handle) for handle in getattr(loop, "_scheduled", ()) if not handle.cancelled()]
    return tasks + [timer for timer in timers if HARMLESS not in timer]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Guard every test that has a loop."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.fixturenames.insert(0, "nothing_left_behind")
