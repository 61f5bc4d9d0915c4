"""Requests to devices with limits on time and size, no redirects, and errors that say what a technician should do."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal
from urllib.parse import quote, urlsplit

import aiohttp

from hub.model.errors import BadCredentials, Unreachable, Unsupported
from hub.sdk.addresses import refused

#: Largest answer taken from a device, in bytes: a 4K JPEG is about 4 MB.
MAX_ANSWER = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Request:
    """One request to a device. ``timeout`` in seconds covers it whole, ``limit`` is the largest answer in bytes."""

    url: str
    method: Literal["GET", "POST", "PUT"] = "GET"
    data: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    user: str = ""
    password: str = ""
    timeout: float = 5.0
    limit: int = MAX_ANSWER


async def fetch(http: aiohttp.ClientSession, request: Request) -> bytes:
    """Return the body of a 2xx answer.

    Basic or Digest (RFC 7617, RFC 7616) is chosen by the device's challenge; the password is sent only where asked.
    Raises Unreachable (also for 5xx), BadCredentials (401, 403), or Unsupported for any other refusal, a redirect,
    an answer over the limit, and a scheme other than http(s).
    """
    check_address(request.url, "http", "https")
    try:
        challenge, body = await _send(http, request)
        if challenge is not None:
            if not request.user:
                raise BadCredentials("the device asks for a user and a password")
            if not challenge.lower().startswith(("basic", "digest")):
                raise BadCredentials("the device refused and does not ask for Basic or Digest")  # nothing is given away
            challenge, body = await _send(http, request, challenge)
            if challenge is not None:
                raise BadCredentials("the device refused the user or the password")
    except TimeoutError:
        raise Unreachable(f"no answer within {request.timeout:g} s") from None
    except aiohttp.ClientError as error:
        raise Unreachable(f"no connection ({type(error).__name__})") from None
    except ValueError:
        raise Unsupported("the address is not a valid URL") from None
    return body


def check_address(url: str, *schemes: str) -> None:
    """Refuse (Unsupported) a foreign scheme, no host, hosts that are never called, and credentials, which end in logs.

    See hub.sdk.addresses for the hosts.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port  # reading the port checks it
    except ValueError:
        raise Unsupported("the address is not a valid URL") from None
    if parts.scheme not in schemes or not host:
        raise Unsupported(f"the address must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and a host")
    if parts.username is not None or parts.password is not None:
        raise Unsupported("enter user and password in their own fields, not in the address")
    if refused(host, named=False):
        raise Unsupported("the hub sends nothing to this address")


def with_login(url: str, user: str, password: str) -> str:
    """Put user and password into the address of a stream, the only place where FFmpeg takes them.

    It undoes the quoting (libavformat/httpauth.c). What is returned must never be logged or shown.
    """
    if not user:
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=f"{quote(user, safe='')}:{quote(password, safe='')}@{parts.netloc}").geturl()


async def _send(
    http: aiohttp.ClientSession, request: Request, challenge: str | None = None
) -> tuple[str | None, bytes]:
    """Send once; return the challenge of a 401, or None and the body."""
    middlewares: tuple[aiohttp.DigestAuthMiddleware, ...] = ()
    headers = dict(request.headers)
    if challenge is not None and challenge.lower().startswith("digest"):
        middlewares = (aiohttp.DigestAuthMiddleware(request.user, request.password),)
    elif challenge is not None:
        headers["Authorization"] = aiohttp.encode_basic_auth(request.user, request.password)
    async with http.request(
        request.method,
        request.url,
        data=request.data,
        headers=headers,
        middlewares=middlewares,
        timeout=aiohttp.ClientTimeout(total=request.timeout),
        allow_redirects=False,
    ) as answer:
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return answer.headers.get("WWW-Authenticate", ""), b""
        _check_status(answer.status)
        body = bytearray()
        async for chunk in answer.content.iter_chunked(64 * 1024):
            body += chunk
            if len(body) > request.limit:
                raise Unsupported(f"the answer is larger than {request.limit} bytes")
        return None, bytes(body)


def _check_status(status: int) -> None:
    """Raise the DeviceError that a status other than 2xx stands for."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status == HTTPStatus.FORBIDDEN:
        raise BadCredentials("the user may not do this (HTTP 403)")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise Unreachable(f"the device is not ready (HTTP {status})")
    raise Unsupported(f"the device refused the request (HTTP {status})")
