"""The hub's certificate in use: what the page and the broker serve, what the hub's own link trusts, when it changes."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from hub.model.errors import TlsError

if TYPE_CHECKING:
    from collections.abc import Callable

log = structlog.get_logger()

#: The folder below the data folder, and its files; the authority's are there only where it is our own.
FOLDER = "tls"
CERTIFICATE, KEY, AUTHORITY, AUTHORITY_KEY = "server.crt", "server.key", "ca.crt", "ca.key"
#: Seconds between two looks at the files, which a renewal replaces.
LOOK = 60.0


class Pair(msgspec.Struct, frozen=True):
    """A certificate chain and its key, both PEM. ``authority`` is our own authority's certificate, if it is ours."""

    certificate: Path
    key: Path
    authority: Path | None = None

    def serving(self) -> ssl.SSLContext:
        """Return what the page is served with: TLS 1.2 or later, the ciphers of OpenSSL's defaults. Raises TlsError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        self.renew(context)
        return context

    def renew(self, context: ssl.SSLContext) -> None:
        """Let a context serve the certificate as it is on the disk now. Raises TlsError."""
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"the certificate cannot be used: {error.strerror or error}") from None

    def trusting(self) -> ssl.SSLContext:
        """Return what the hub's own link trusts: this very certificate, or our authority. Raises TlsError.

        Names are not compared: the link calls the loopback address, which a given certificate does not name.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self.trust(context)
        return context

    def trust(self, context: ssl.SSLContext) -> None:
        """Let a context trust the certificate as it is on the disk now. Raises TlsError."""
        try:
            context.load_verify_locations(self.authority or self.certificate)
        except (OSError, ssl.SSLError) as error:
            raise TlsError(f"the certificate cannot be used: {error.strerror or error}") from None

    def fingerprint(self) -> bytes:
        """Return what changes with the files; of files that cannot be read, too."""
        digest = hashlib.sha256()
        for path in (self.certificate, self.key):
            try:
                digest.update(path.read_bytes())
            except OSError as error:
                digest.update(repr(error.errno).encode())
        return digest.digest()


def pair_of(data: Path) -> Pair:
    """Return the certificate of a data folder. Raises TlsError where there is none, or others can read its key."""
    folder = data / FOLDER
    pair = Pair(folder / CERTIFICATE, folder / KEY, folder / AUTHORITY if (folder / AUTHORITY).is_file() else None)
    if not pair.certificate.is_file() or not pair.key.is_file():
        raise TlsError("there is no certificate yet: run `menshen tls init`")
    if pair.key.stat().st_mode & 0o077:
        raise TlsError(f"other users can read {pair.key.resolve()}; run: chmod 600 on it")
    pair.serving()
    return pair


class Keeper:
    """Lends the certificate to those who serve or trust it, and takes a new one to all of them while they run."""

    def __init__(self, pair: Pair, renew: Callable[[], object], reload: Callable[[], None] = lambda: None) -> None:
        self.pair = pair
        self.reload = reload
        """Tells the broker to read its certificate anew."""
        self._renew = renew
        self._serving = pair.serving()
        self._trusting = pair.trusting()

    @property
    def serving(self) -> ssl.SSLContext:
        """For the page."""
        return self._serving

    @property
    def trusting(self) -> ssl.SSLContext:
        """For the link to the hub's own broker."""
        return self._trusting

    def take(self) -> None:
        """Serve and trust what is on the disk now. Raises TlsError."""
        self.pair.renew(self._serving)
        self.pair.trust(self._trusting)
        self.reload()

    async def run(self) -> None:
        """Look at the certificate once a minute: renew it before its end where it is ours, take every new one over."""
        known = self.pair.fingerprint()
        while True:
            await asyncio.sleep(LOOK)
            try:
                await asyncio.to_thread(self._renew)
                seen = await asyncio.to_thread(self.pair.fingerprint)
                if seen != known:
                    self.take()
                    known = seen
                    log.info("tls.renewed")
            except TlsError as error:
                log.error("tls.not_renewed", reason=str(error))
