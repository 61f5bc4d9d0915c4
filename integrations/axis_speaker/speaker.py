"""Sends a clip to ``transmit.cgi`` of one device.

``hub.sdk.fetch`` is of no use here: it sends a body at once, and sends it again when the device asks for Digest. This
asks first, without sound, how the device wants to be logged in to, and then sends the sound once, paced.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp
from aiohttp import hdrs

from hub.sdk import BadCredentials, Clip, CommandKey, Unreachable, Unsupported
from integrations.axis_speaker.clips import Chime
from integrations.axis_speaker.config import Config
from integrations.axis_speaker.sound import Sound

#: Bytes of an answer that are looked at.
MAX_ANSWER = 64 * 1024
PATH = "/axis-cgi/audio/transmit.cgi"


class AxisSpeaker:
    """One loudspeaker."""

    def __init__(self, http: aiohttp.ClientSession, config: Config) -> None:
        self._http = http
        self._config = config
        base = urlsplit(config.url)._replace(path="", query="", fragment="").geturl()
        self._url = base + PATH
        self._chime = Chime(http, base, config) if config.chime else None

    async def play(self, clip: Clip, volume: int, key: CommandKey) -> None:
        """Send ``clip`` in real time and return when it was heard. Raises DeviceError.

        The protocol has no place for the key: a repeat after a crash is heard again.
        """
        if self._chime is not None:
            await self._chime.play(volume)
        sound, limit = Sound(clip, volume), self._config.timeout_s
        try:
            async with asyncio.timeout(limit):
                scheme = await self._challenge()
            async with asyncio.timeout(limit + clip.seconds):
                await self._send(sound, scheme)
        except TimeoutError:
            raise Unreachable(f"no answer within {limit:g} s") from None
        except aiohttp.ServerDisconnectedError:
            if not sound.sent:  # one that took everything and says nothing has played it
                raise Unreachable("the device ended the connection before it had all of the sound") from None
        except aiohttp.ClientError as error:
            raise Unreachable(f"no connection ({type(error).__name__})") from None
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, sound.ends - loop.time()))  # it may answer when it has all, not when it said all

    async def _challenge(self) -> str:
        """Ask without sound and password; return the first way to log in that is known, "" for none wanted."""
        async with self._http.post(
            self._url, data=b"", headers={hdrs.CONTENT_TYPE: "audio/basic"}, allow_redirects=False
        ) as answer:
            if answer.status != HTTPStatus.UNAUTHORIZED:
                _check(answer.status)
                return ""
            offers = [offer.partition(" ")[0].lower() for offer in answer.headers.getall(hdrs.WWW_AUTHENTICATE, ())]
        for scheme in offers:
            if scheme in {"digest", "basic"}:
                return scheme
        raise Unsupported("the device wants a log-in that is neither Digest nor Basic")

    async def _send(self, sound: Sound, scheme: str) -> None:
        """Send the sound and judge the answer. One of success in mid-speech is the end of it, hence no success."""
        headers = {hdrs.CONTENT_TYPE: "audio/basic"}
        body: Sound | bytes = sound
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = ()
        if scheme == "digest":
            login = aiohttp.DigestAuthMiddleware(self._config.user, self._config.password)
            body, middlewares = b"", (login, _once_logged_in(sound))
        elif scheme == "basic":
            headers[hdrs.AUTHORIZATION] = aiohttp.encode_basic_auth(self._config.user, self._config.password)
        async with self._http.post(
            self._url, data=body, headers=headers, middlewares=middlewares, allow_redirects=False
        ) as answer:
            _check(answer.status)
            await _take(answer)
        if not sound.sent:
            raise Unreachable("the device answered before it had all of the sound")


async def _take(answer: aiohttp.ClientResponse) -> None:
    """Take the body that is announced: a device that breaks off in it may have broken off in the sound, too."""
    left = min(answer.content_length or 0, MAX_ANSWER)
    while left > 0:
        chunk = await answer.content.read(left)
        left -= len(chunk)
        if not chunk:
            return


def _once_logged_in(sound: Sound) -> aiohttp.ClientMiddlewareType:
    """Put the sound only into the request that bears the log-in, not into the one that fetches its challenge."""

    async def middleware(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if hdrs.AUTHORIZATION in request.headers:
            await request.update_body(sound)
        return await handler(request)

    return middleware


def _check(status: int) -> None:
    """Raise the DeviceError that a status other than 2xx stands for."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.UNAUTHORIZED:
        raise BadCredentials("the device refused the user or the password")
    if status == HTTPStatus.FORBIDDEN:
        raise BadCredentials("the user's role does not allow to transmit audio (HTTP 403)")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}:
        raise Unreachable(f"the device is not ready, perhaps another one speaks (HTTP {status})")
    raise Unsupported(f"the device refused the sound (HTTP {status})")
