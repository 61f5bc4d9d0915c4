"""The least of an RTSP server (RFC 2326): one H.264 key frame, again and again, interleaved in TCP (RFC 6184 5.6)."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext

CRLF = "\r\n"
SDP = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=stub
t=0 0
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;sprop-parameter-sets={parameters}
a=control:track1
"""


def key_frame() -> list[bytes]:
    """NAL units of one H.264 key frame, 160 by 120, left half black and right half white."""
    frame = av.VideoFrame(160, 120, "yuv420p")
    for plane, (left, right) in zip(frame.planes, ((16, 235), (128, 128), (128, 128)), strict=True):
        row = bytes([left]) * (plane.line_size // 2) + bytes([right]) * (plane.line_size - plane.line_size // 2)
        plane.update(row * plane.height)
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.framerate = 160, 120, "yuv420p", Fraction(25)
    stream = b"".join(bytes(packet) for packet in (*encoder.encode(frame), *encoder.encode(None)))
    return [unit for unit in re.split(b"\0\0\0?\1", stream) if unit]


@dataclass
class RtspStub:
    """What it asks and what it was asked."""

    login: str = ""
    """``user:password`` of the Basic credentials it wants, or empty."""
    silent: bool = False
    """Takes connections and never answers."""
    requests: list[str] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    _playing: int = 0
    _quiet: asyncio.Event = field(default_factory=asyncio.Event)

    @contextlib.asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Run, and yield the address of the stream."""
        self._quiet.set()
        server = await asyncio.start_server(self._client, "127.0.0.1", 0, ssl=self.tls)
        scheme, port = "rtsps" if self.tls else "rtsp", server.sockets[0].getsockname()[1]
        async with server:
            yield f"{scheme}://127.0.0.1:{port}/stream"
        await self._quiet.wait()  # until each has noticed that its client is gone

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            playing = False
            while not playing:
                request = (await reader.readuntil(b"\r\n\r\n")).decode()
                self.requests.append(request)
                self.asked.set()
                if not self.silent:
                    playing = self._answer(request, writer)
            self._playing += 1
            self._quiet.clear()
            try:
                await self._play(writer)
            finally:
                self._playing -= 1
                if not self._playing:
                    self._quiet.set()
        writer.close()

    def _answer(self, request: str, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; say whether it was PLAY."""
        method = request.partition(" ")[0]
        status, headers, body = "200 OK", [f"CSeq: {re.findall(r'CSeq: (.+)', request)[0].strip()}"], ""
        wanted = "Authorization: Basic " + base64.b64encode(self.login.encode()).decode()
        if self.login and method != "OPTIONS" and wanted not in request:
            status, headers = "401 Unauthorized", [*headers, 'WWW-Authenticate: Basic realm="stub"']
        elif "/nothing" in request.partition("\r")[0]:
            status = "404 Not Found"
        elif method == "DESCRIBE":
            sets = ",".join(base64.b64encode(unit).decode() for unit in key_frame() if unit[0] & 31 in {7, 8})
            body = SDP.format(parameters=sets).replace("\n", "\r\n")
            headers.append("Content-Type: application/sdp")
        elif method == "SETUP":
            headers += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1"]
        headers.append(f"Content-Length: {len(body)}")
        writer.write(f"RTSP/1.0 {status}\r\n{CRLF.join(headers)}\r\n\r\n{body}".encode())
        return method == "PLAY" and status == "200 OK"

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        sequence, units = 0, key_frame()
        for number in range(1_000):
            for position, unit in enumerate(units):
                marker = 0x80 if position == len(units) - 1 else 0
                packet = struct.pack(">BBHII", 0x80, marker | 96, sequence % 65_536, number * 3_600, 7) + unit
                writer.write(struct.pack(">cBH", b"$", 0, len(packet)) + packet)
                sequence += 1
            if writer.is_closing():
                return
            await writer.drain()
            await asyncio.sleep(0.04)  # 25 pictures a second
