"""Opens the endless answer ``GET /cgi-bin/eventManager.cgi?action=attach…`` and reads it with a limit on silence.

``hub.sdk.fetch`` is for answers that end. The same care is taken here: no redirects, a password only where asked, a
limit on time, and an error that says what a technician should do.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import aiohttp
from yarl import URL

from hub.sdk import BadCredentials, DeviceError, Unreachable, Unsupported, clean
from integrations.dahua.config import Config
from integrations.dahua.kinds import codes
from integrations.dahua.multipart import boundary_of


async def open_stream(http: aiohttp.ClientSession, base: str, config: Config) -> tuple[aiohttp.ClientResponse, bytes]:
    """Return the open answer, which the caller closes, and the separator of its parts. Raises DeviceError."""
    query = f"action=attach&codes=[{','.join(codes(config.events))}]&heartbeat={config.heartbeat_s}"
    try:
        # Written as the vendor writes it: not all firmwares take brackets and commas as escapes.
        url = URL(f"{base}/cgi-bin/eventManager.cgi?{query}", encoded=True)
        digest = (aiohttp.DigestAuthMiddleware(config.user, config.password),) if config.user else ()
        async with asyncio.timeout(config.timeout_s):
            answer = await http.get(
                url,
                middlewares=digest,
                # Silence is judged by the session; this only ends what it does not see.
                timeout=aiohttp.ClientTimeout(total=None, sock_read=3 * config.heartbeat_s + 1),
                allow_redirects=False,
            )
    except TimeoutError:
        raise Unreachable(f"no answer within {config.timeout_s:g} s") from None
    except aiohttp.ClientError as error:
        raise Unreachable(f"no connection ({type(error).__name__})") from None
    except ValueError:
        raise Unsupported("the address, the user or the camera's challenge is not valid") from None
    boundary = boundary_of(answer.headers.get("Content-Type", ""))
    refusal = _refusal(answer, config.user)
    if refusal is None and boundary is None:
        refusal = Unsupported(f"no event stream: the camera answered {clean(answer.content_type, 40)!r}")
    if refusal is not None or boundary is None:
        answer.close()
        raise refusal or Unsupported("no event stream")
    return answer, boundary


async def read(answer: aiohttp.ClientResponse, until: float) -> bytes | None:
    """Return what has come, or None when nothing did before ``until`` (the loop's clock). Raises Unreachable."""
    try:
        async with asyncio.timeout_at(until):
            data = await answer.content.readany()
    except TimeoutError:
        return None
    except aiohttp.ClientError as error:
        raise Unreachable(f"the event stream broke ({type(error).__name__})") from None
    if not data:
        raise Unreachable("the camera ended the event stream")
    return data


def _refusal(answer: aiohttp.ClientResponse, user: str) -> DeviceError | None:
    """Return the error that a status other than 200 stands for."""
    status = answer.status
    if status == HTTPStatus.OK:
        return None
    if status == HTTPStatus.UNAUTHORIZED:
        if not user:
            return BadCredentials("the camera asks for a user and a password")
        offers = answer.headers.getall("WWW-Authenticate", [])
        if offers and not offers[0].lower().startswith("digest"):
            return Unsupported("the camera offers no Digest log-in; set its web authentication to digest")
        return BadCredentials("the camera refused the user or the password")
    if status == HTTPStatus.FORBIDDEN:
        return BadCredentials("the user may not read events (HTTP 403)")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unreachable(f"the camera is not ready (HTTP {status})")
    return Unsupported(f"the camera refused the event stream (HTTP {status})")
