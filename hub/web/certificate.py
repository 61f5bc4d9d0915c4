"""What a browser must be told to trust: the certificate of the page, and our own authority's to download."""

from __future__ import annotations

import asyncio
import datetime

import msgspec
from aiohttp import web

from hub.model.errors import TlsError
from hub.runtime.tls import Pair
from hub.web.context import CONTEXT
from hub.web.errors import Refusal
from hub.web.handlers import answer
from hub.web.routing import Route, UserRole


class CertificateOut(msgspec.Struct, frozen=True):
    """The certificate that the page shows. Fingerprints are SHA-256, as browsers show them."""

    tls: bool
    """Whether the page is served by HTTPS; everything else is null or empty where it is not."""
    hosts: tuple[str, ...] = ()
    ends: datetime.datetime | None = None
    sha256: str | None = None
    authority_sha256: str | None = None
    """Of our own authority, to be trusted by hand (`/ca.crt`); null for a given certificate."""


async def certificate(request: web.Request) -> web.Response:
    """Show the certificate."""
    pair = request.app[CONTEXT].pair
    try:
        return answer(CertificateOut(tls=False) if pair is None else await asyncio.to_thread(_facts, pair))
    except TlsError as error:
        raise Refusal(503, "certificate", str(error)) from None


async def authority(request: web.Request) -> web.Response:
    """Give our authority's certificate away; it is no secret, and who needs it cannot sign in yet."""
    pair = request.app[CONTEXT].pair
    if pair is None or pair.authority is None:
        raise web.HTTPNotFound
    data = await asyncio.to_thread(pair.authority.read_bytes)
    return web.Response(
        body=data,
        content_type="application/x-x509-ca-cert",
        headers={"Content-Disposition": 'attachment; filename="menshen-ca.crt"'},
    )


def _facts(pair: Pair) -> CertificateOut:
    from hub.runtime import certificates  # an optional extra: it is there where certificates are

    own = certificates.facts(pair.certificate)
    above = None if pair.authority is None else certificates.facts(pair.authority).sha256
    return CertificateOut(True, own.hosts, own.ends, own.sha256, above)


CERTIFICATE: tuple[Route, ...] = (
    Route("GET", "/api/v1/certificate", "certificate", "The certificate of the page", UserRole.VIEWER, certificate,
          returns=CertificateOut),
)  # fmt: skip
#: A short address, for it is typed into phones.
AUTHORITY = Route("GET", "/ca.crt", "authority", "Our certificate authority, to be trusted", None, authority)
