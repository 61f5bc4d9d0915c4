"""Asks one camera by SOAP over HTTP and knows how far its clock is off."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TypeVar

import aiohttp

from hub.sdk import BadCredentials, DecodeError, Request, Unsupported, fetch
from integrations.onvif.config import Config, device_service
from integrations.onvif.moment import device_time
from integrations.onvif.soap import Login, envelope, question, read
from integrations.onvif.tree import Element

Answer = TypeVar("Answer")
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
#: Largest SOAP answer in bytes: a topic set of a large camera is about 100 kB.
MAX_ANSWER = 1024 * 1024
#: A clock that moved by less did not cause a refusal: cameras allow some seconds at least.
_CLOCK_MOVED = timedelta(seconds=2)
_FAULT_STATUS = {HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: to which service, its action, the element in the body, and more headers (XML)."""

    address: str
    action: str
    body: str
    headers: tuple[str, ...] = ()
    wait_s: float = 0.0
    """Seconds for which the camera may wait with its answer on purpose."""

    @property
    def name(self) -> str:
        """Return the operation."""
        return self.action.rpartition("/")[2].removesuffix("Request")


class SoapAnswer(aiohttp.ClientResponse):
    """A SOAP fault is an answer, although HTTP calls it an error.

    SOAP 1.2 part 2, table 17, sends faults with 400 or 500, of which ``fetch`` reads no body. A 401 without a challenge
    is one as well: HTTP log-in is not asked for, so the password must not be sent by it, as ``fetch`` would (Basic).
    """

    async def start(self, connection: aiohttp.connector.Connection) -> aiohttp.ClientResponse:
        """Read status and headers."""
        await super().start(connection)
        unasked = self.status == HTTPStatus.UNAUTHORIZED and "WWW-Authenticate" not in self.headers
        if (unasked or self.status in _FAULT_STATUS) and self.content_type.endswith("xml"):
            self.status = HTTPStatus.OK
        elif unasked:
            self.status = HTTPStatus.FORBIDDEN
        return self


def soap_session(http: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Return a session on the connections (and the TLS settings) of ``http`` that reads faults; close it."""
    return aiohttp.ClientSession(
        connector=http.connector,
        connector_owner=False,
        response_class=SoapAnswer,
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class Client:
    """One camera; ``http`` is of ``soap_session``."""

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self.base = device_service(config)
        self._http = http
        self._config = config
        self._offset = timedelta()
        self.ahead_s: float | None = None
        """Seconds that the camera's clock was ahead when it was asked last, to within half a second; None untold."""

    async def call(self, asked: Ask, reader: Callable[[Element], Answer]) -> Answer:
        """Ask, and return what ``reader`` makes of the answer. Raises DeviceError.

        What ``reader`` cannot read (DecodeError) is Unsupported.
        """
        try:
            return await self._call(asked, reader)
        except BadCredentials:
            if not self._config.user or not await self.read_clock():
                raise
        return await self._call(asked, reader)  # its clock was set in the meantime

    async def read_clock(self) -> bool:
        """Learn how far the camera's clock is off; tell whether that has changed. Raises DeviceError.

        The one question that needs no log-in (Core, 8.2.2). A camera that refuses it all the same is taken to be right.
        """
        asked = Ask(self.base, f"{DEVICE}/GetSystemDateAndTime", question("GetSystemDateAndTime", DEVICE))
        self.ahead_s, begun = None, datetime.now(UTC)
        try:
            said = await self._send(asked, device_time)
        except BadCredentials:
            return False
        now = datetime.now(UTC)
        before, self._offset = self._offset, (said - now) if said else timedelta()
        if said is not None:  # it says whole seconds, and said them between both moments
            self.ahead_s = round((said + timedelta(seconds=0.5) - begun - (now - begun) / 2).total_seconds(), 1)
        return abs(self._offset - before) > _CLOCK_MOVED

    async def _call(self, asked: Ask, reader: Callable[[Element], Answer]) -> Answer:
        if not self._config.user:
            return await self._send(asked, reader)
        created = datetime.now(UTC) + self._offset
        login = Login(self._config.user, self._config.password, created, secrets.token_bytes(16))
        return await self._send(asked, reader, login.header())

    async def _send(self, asked: Ask, reader: Callable[[Element], Answer], *login: str) -> Answer:
        request = Request(
            url=asked.address,
            method="POST",
            data=envelope(asked.body, *login, *asked.headers),
            headers={"Content-Type": f'application/soap+xml; charset=utf-8; action="{asked.action}"'},
            user=self._config.user,
            password=self._config.password,
            timeout=self._config.timeout_s + asked.wait_s,
            limit=MAX_ANSWER,
        )
        try:
            return reader(read(await fetch(self._http, request), f"{asked.name}Response"))
        except DecodeError as error:
            raise Unsupported(f"no ONVIF answer to {asked.name}: {error.reason}") from None
