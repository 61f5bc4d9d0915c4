"""A mail server: SMTP (RFC 5321), over TLS or after STARTTLS (RFC 3207), with AUTH PLAIN and LOGIN (RFC 4954).

It keeps what it was sent, and at any verb it can say something else, say nothing, or hang up.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Literal

#: Bytes of one mail: those with a file attached are larger than a line may be.
MAX_MAIL = 8 * 1024 * 1024
USER, PASSWORD = "duty@xingfuli.example", "p4ss word+="


@dataclass
class Letter:
    """One mail as it came, from whom and to whom."""

    sender: str
    to: list[str]
    data: bytes


@dataclass
class MailServer:
    """One server, for any number of clients."""

    context: ssl.SSLContext | None = None
    security: Literal["tls", "starttls", "none"] = "none"
    login: bool = False
    mechanisms: str = "PLAIN LOGIN"
    says: dict[str, bytes | None] = field(default_factory=dict)
    """What it says at a verb instead (``GREETING`` and ``BODY`` are verbs, too): None for silence, empty to hang up."""
    drips: str = ""
    """The verb at which it begins an answer that never ends, ten bytes a second."""
    refused: dict[str, int] = field(default_factory=dict)
    """Recipients and the code each gets."""
    hear: Callable[[bytes], None] = lambda _: None
    """Called with each letter that it takes."""
    letters: list[Letter] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    """Verbs, in order."""
    silent: asyncio.Event = field(default_factory=asyncio.Event)
    """A client waits in vain."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @contextlib.asynccontextmanager
    async def serve(self, port: int = 0) -> AsyncIterator[int]:
        """Run, and yield the port. At the end every client must have hung up."""
        tls = self.context if self.security == "tls" else None
        server = await asyncio.start_server(self._accept, "127.0.0.1", port, ssl=tls, limit=MAX_MAIL)
        async with server:
            yield server.sockets[0].getsockname()[1]
            async with asyncio.timeout(5):
                await asyncio.gather(*self._tasks)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.add(asyncio.ensure_future(self._client(reader, writer)))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                await _Conversation(self, reader, writer).run()
            finally:
                writer.close()
                await writer.wait_closed()


class _Conversation:
    def __init__(self, server: MailServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.secure = server.security == "tls"
        self.logged_in = False
        self.letter = Letter("", [], b"")

    async def run(self) -> None:
        verb, line = "GREETING", ""
        while verb:
            self.server.heard.append(verb)
            while verb == self.server.drips:
                self.writer.write(b"2")
                await self.writer.drain()
                await asyncio.sleep(0.1)
            said = self.server.says.get(verb, b"-")
            if said is None:
                self.server.silent.set()
                await self.reader.read()  # until the client has had enough
                return
            if said != b"-":
                self.writer.write(said)
                await self.writer.drain()
                if not said:
                    return
            elif not await self._obey(verb, line):
                return
            line = (await self.reader.readuntil(b"\r\n")).decode("ascii").removesuffix("\r\n")
            verb = line.partition(" ")[0].upper()

    async def _obey(self, verb: str, line: str) -> bool:
        """Do what was asked; say whether the conversation goes on."""
        if verb == "GREETING":
            return await self._say(220, "mail.example ESMTP")
        if verb == "EHLO":
            return await self._say(250, "mail.example", *self._features())
        if verb == "STARTTLS":
            await self._say(220, "go ahead")
            assert self.server.context is not None  # noqa: S101 - it offers STARTTLS only with one
            await self.writer.start_tls(self.server.context)
            self.secure = True
            return True
        if verb == "AUTH":
            self.logged_in = await self._check_login(line)
            return await self._say(*((235, "welcome") if self.logged_in else (535, f"no: {line}")))
        if verb == "QUIT":
            return not await self._say(221, "bye")
        if verb in {"MAIL", "RCPT"} and self.server.login and not self.logged_in:
            return await self._say(530, "authentication required")
        return await self._take(verb, line)

    def _features(self) -> list[str]:
        features = [f"SIZE {MAX_MAIL}", "8BITMIME"]
        if self.server.security == "starttls" and not self.secure:
            features.append("STARTTLS")
        if self.server.login and self.secure:
            features.append(f"AUTH {self.server.mechanisms}")
        return features

    async def _take(self, verb: str, line: str) -> bool:
        address = (re.search(r"<([^<>]+)>", line) or [line, ""])[1]
        if verb == "MAIL" and re.fullmatch(r"mail FROM:<[^<> ]+> size=\d+", line):
            self.letter = Letter(address, [], b"")
            return await self._say(250, "ok")
        if verb == "RCPT" and re.fullmatch(r"rcpt TO:<[^<> ]+>", line):
            code = self.server.refused.get(address, 250)
            if code == 250:
                self.letter.to.append(address)
            return await self._say(code, address)
        if verb == "DATA":
            await self._say(354, "go on")
            raw = await self.reader.readuntil(b"\r\n.\r\n")
            self.letter.data = raw.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
            self.server.heard.append("BODY")
            if (said := self.server.says.get("BODY", b"-")) != b"-":
                if said is None:
                    await self.reader.read()
                else:
                    self.writer.write(said)
                return bool(said)
            self.server.letters.append(self.letter)
            self.server.hear(self.letter.data)
            return await self._say(250, "taken")
        return await self._say(250 if verb in {"RSET", "NOOP"} else 502, "")

    async def _check_login(self, line: str) -> bool:
        if not self.secure:
            return False
        _, mechanism, *rest = line.split(" ")
        given = [base64.b64decode(part) for part in rest]
        if mechanism == "PLAIN":
            return given == [f"\0{USER}\0{PASSWORD}".encode()]
        if not given:
            given.append(await self._ask("Username:"))
        given.append(await self._ask("Password:"))
        return given == [USER.encode(), PASSWORD.encode()]

    async def _ask(self, question: str) -> bytes:
        await self._say(334, base64.b64encode(question.encode()).decode())
        return base64.b64decode(await self.reader.readuntil(b"\r\n"))

    async def _say(self, code: int, *lines: str) -> bool:
        for line in lines[:-1]:
            self.writer.write(f"{code}-{line}\r\n".encode())
        self.writer.write(f"{code} {lines[-1]}\r\n".encode())
        await self.writer.drain()
        return True
