"""Looks at the way to a device from below: is its name known, does its address answer, is its port open."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hub.model.diagnosis import Step
from hub.model.text import Text, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.runtime.sessions import SessionState

#: Seconds that a name and a connection may take.
PATIENCE = 4.0
_PORTS = {"http": 80, "https": 443, "rtsp": 554, "tcp": 502, "mqtt": 1883, "mqtts": 8883, "smtp": 25, "smtps": 465}
_NAME = Text(
    "地址解析不了：核对 hub.yaml 里的设备地址；用 IP 地址代替名称再试",
    "The name is not known: check the address in hub.yaml, or write the IP address instead",
)
_ROUTE = Text(
    "连不上：检查设备电源、网线和交换机，确认设备与门神在同一网段、IP 没有变",
    "Nothing answers: check power, cable and switch, and that the device still has this address in this network",
)
_PORT = Text(
    "设备在线，但端口没有开放：核对端口号，在设备上打开这项服务",
    "The device is there but the port is closed: check the number, switch the service on in the device",
)
_SERIAL = Text(
    "串口不存在：检查 USB 线和转换器，用 ls -l /dev/serial/by-id 找到它的新名字",
    "There is no such serial port: check cable and adapter; ls -l /dev/serial/by-id shows its present name",
)
_RIGHTS = Text(
    "没有权限打开串口：把运行门神的用户加入 dialout 组，然后重新登录",
    "No permission for the serial port: add the hub's user to the group dialout and log in again",
)
#: What to do about a session that is not well.
ADVICE: dict[SessionState, Text] = {
    "retrying": Text(
        "设备没有正常应答，门神会一直重试：检查电源和网络，再看原因",
        "The device does not answer as it should; the hub keeps trying: check power and network, then the reason",
    ),
    "needs_credentials": Text(
        "用户名或密码不对：在 secrets.yaml 里改正；多次输错后设备可能锁定几分钟",
        "User or password are wrong: correct them in secrets.yaml; after many tries a device may lock for minutes",
    ),
    "failed": Text(
        "照这样设置永远不会成功：按原因修改 hub.yaml 或设备的设置",
        "It will never work as it is set up: change hub.yaml or the device by what the reason says",
    ),
}


async def way_to(values: Any) -> list[Step]:
    """Try the addresses in a device's configuration; stop at the first that fails."""
    steps: list[Step] = []
    for host, port in _addresses(values):
        steps += await _reach(host, port)
        if not steps[-1].well:
            return steps
    for path in _serial_ports(values):
        steps.append(_serial(path))
    return steps


def _addresses(values: Any) -> Iterator[tuple[str, int]]:
    """Return host and port of every URL, each once, and of a mail server, whose port is 465 where none is named."""
    seen: dict[tuple[str, int], None] = {}
    if isinstance(values, dict) and isinstance(host := values.get("host"), str):
        port = values.get("port", 465)
        seen[host, port if isinstance(port, int) else 465] = None
    for text in _texts(values):
        try:
            parts = urlsplit(text)
            if parts.scheme in _PORTS and parts.hostname:
                seen[parts.hostname, parts.port or _PORTS[parts.scheme]] = None
        except ValueError:
            continue  # the integration itself says what is wrong with it
    yield from seen


def _serial_ports(values: Any) -> Iterator[Path]:
    for text in _texts(values):
        path = text.removeprefix("serial://").partition("?")[0]
        if path.startswith("/dev/"):
            yield Path(path)


def _texts(values: Any) -> Iterator[str]:
    if isinstance(values, dict):
        for value in values.values():
            yield from _texts(value)
    elif isinstance(values, list):
        for value in values:
            yield from _texts(value)
    elif isinstance(values, str):
        yield values


async def _reach(host: str, port: int) -> list[Step]:
    steps = []
    try:
        ip_address(host)
        address = host
    except ValueError:
        tried = Text(f"解析名称 {clean(host, 80)}", f"Look up {clean(host, 80)}")
        try:
            async with asyncio.timeout(PATIENCE):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError):
            return [Step(tried, False, "not known", _NAME)]
        address = str(found[0][4][0])
        steps.append(Step(tried, True, address))
    tried = Text(f"连接 {address}:{port}", f"Connect to {address}:{port}")
    try:
        async with asyncio.timeout(PATIENCE):
            _, writer = await asyncio.open_connection(address, port)
    except ConnectionRefusedError:
        return [*steps, Step(tried, False, "refused", _PORT)]
    except TimeoutError:
        return [*steps, Step(tried, False, f"no answer within {PATIENCE:g} s", _ROUTE)]
    except OSError as error:
        return [*steps, Step(tried, False, error.strerror or errno.errorcode.get(error.errno or 0, "failed"), _ROUTE)]
    writer.close()
    return [*steps, Step(tried, True, "open")]


def _serial(path: Path) -> Step:
    tried = Text(f"查看串口 {clean(str(path), 80)}", f"Look at {clean(str(path), 80)}")
    if not path.exists():
        return Step(tried, False, "not there", _SERIAL)
    if not os.access(path, os.R_OK | os.W_OK):
        return Step(tried, False, "no permission", _RIGHTS)
    return Step(tried, True, "there")
