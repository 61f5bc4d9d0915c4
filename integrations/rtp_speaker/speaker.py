"""Sends packets in real time."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable

from hub.sdk import Clip, CommandKey, Unreachable, clean, rtp
from integrations.rtp_speaker.config import Config

#: Expedited Forwarding, what networks give voice (RFC 3246, RFC 4594 section 4.1), in the upper six bits of the octet.
_DSCP_EF = 46 << 2


class RtpSpeaker:
    """A loudspeaker, or all that listen to a multicast group."""

    def __init__(self, config: Config) -> None:
        self._config = config

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Send ``clip`` in the time it takes to hear it. Raises Unreachable.

        UDP has no answer: a silent success means only that the packets left. A loudspeaker (not a group) that is up
        but does not listen on the port is noticed, since its refusal comes back by ICMP.
        """
        packets = rtp.packets(clip, volume, self._config.codec, rtp.Stream.of(key))
        try:
            with await open_socket(self._config) as sender:
                loop = asyncio.get_running_loop()
                await rtp.pace(packets, _send_to(sender), loop.time)
        except OSError as error:
            where = f"{clean(self._config.address)}:{self._config.port}"
            raise Unreachable(f"cannot send sound to {where} ({error.strerror})") from None


async def open_socket(config: Config) -> socket.socket:
    """Return a UDP socket that is connected, so that errors of the network come back to it. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(config.address, config.port, family=socket.AF_INET, type=socket.SOCK_DGRAM)
    host, port = str(found[0][4][0]), int(found[0][4][1])
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sender.setblocking(False)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _DSCP_EF)
        if ipaddress.IPv4Address(host).is_multicast:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, config.ttl)
            if config.interface:
                own = socket.inet_aton(config.interface)
                sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, own)
        if config.interface:
            sender.bind((config.interface, 0))
        sender.connect((host, port))
    except OSError:
        sender.close()
        raise
    return sender


def _send_to(sender: socket.socket) -> Callable[[bytes], None]:
    def send(packet: bytes) -> None:
        # A full send buffer loses this packet, as the network would; to wait would make all later ones late.
        with contextlib.suppress(BlockingIOError):
            sender.send(packet)

    return send
