"""The server's side of HTTP authentication: Basic (RFC 7617) and Digest (RFC 7616, MD5 and SHA-256, qop=auth).

RTSP uses the same schemes with its own methods and addresses (RFC 2326 section 1.5, RFC 7826 section 19.1).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

Scheme = Literal["none", "basic", "digest"]

#: Seconds for which a nonce is good; later the client is told ``stale`` and tries again without asking its user.
NONCE_LIFE = 300.0
#: How many nonces, and how many uses of each, are remembered against replay.
MAX_NONCES, MAX_USES = 256, 4096

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
_PARAMETER = re.compile(r'([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))', re.IGNORECASE)
_COUNT = re.compile(r"[0-9a-f]{8}", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """Whether the request may pass, and if not, whether only its nonce was too old."""

    passed: bool
    stale: bool = False


@dataclass
class Guard:
    """Checks the Authorization headers of one device."""

    scheme: Scheme
    user: str
    password: str
    realm: str
    algorithms: tuple[str, ...] = ("SHA-256", "MD5")
    """Offered in this order: the first is the device's preference (RFC 7616 section 3.7)."""
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    _used: OrderedDict[str, set[int]] = field(default_factory=OrderedDict)

    def challenges(self, *, stale: bool = False) -> list[str]:
        """Return the values of the WWW-Authenticate headers."""
        if self.scheme == "basic":
            return [f'Basic realm="{self.realm}", charset="UTF-8"']
        nonce = self._nonce(int(time.time()), secrets.token_hex(8))
        more = ", stale=true" if stale else ""
        opaque = hashlib.sha256(self._secret + b"opaque").hexdigest()[:32]
        return [
            f'Digest realm="{self.realm}", qop="auth", algorithm={name}, nonce="{nonce}", opaque="{opaque}"{more}'
            for name in self.algorithms
        ]

    def check(self, method: str, target: str, header: str | None) -> Verdict:
        """Judge one request for ``target``, which is the address as it stands on the request's first line."""
        if self.scheme == "none":
            return Verdict(passed=True)
        kind, _, value = (header or "").partition(" ")
        if kind.lower() != self.scheme:
            return Verdict(passed=False)
        if self.scheme == "basic":
            return Verdict(self._basic(value))
        return self._digest(method, target, value)

    def _basic(self, value: str) -> bool:
        try:
            given = base64.b64decode(value.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(given, f"{self.user}:{self.password}".encode())

    def _digest(self, method: str, target: str, value: str) -> Verdict:
        part = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(value)}
        algorithm = part.get("algorithm", "MD5").upper()
        nonce, count = part.get("nonce", ""), part.get("nc", "")
        if algorithm not in self.algorithms or part.get("username") != self.user or part.get("realm") != self.realm:
            return Verdict(passed=False)
        if part.get("uri") != target or part.get("qop") != "auth" or not _COUNT.fullmatch(count):
            return Verdict(passed=False)

        def digest(text: str) -> str:
            return _HASHES[algorithm](text.encode()).hexdigest()

        secret = digest(f"{self.user}:{self.realm}:{self.password}")
        request = digest(f"{method}:{target}")
        due = digest(f"{secret}:{nonce}:{count}:{part.get('cnonce', '')}:auth:{request}")
        if not hmac.compare_digest(due.encode(), part.get("response", "").lower().encode()):
            return Verdict(passed=False)
        if not self._fresh(nonce):
            return Verdict(passed=False, stale=True)
        return Verdict(passed=self._first_use(nonce, int(count, 16)))

    def _nonce(self, at: int, salt: str) -> str:
        seal = hmac.new(self._secret, f"{at}.{salt}".encode(), hashlib.sha256).hexdigest()[:32]
        return f"{at}.{salt}.{seal}"

    def _fresh(self, nonce: str) -> bool:
        """Tell whether we made this nonce, and lately."""
        at, _, rest = nonce.partition(".")
        if not at.isdecimal() or not hmac.compare_digest(
            self._nonce(int(at), rest.partition(".")[0]).encode(), nonce.encode()
        ):
            return False
        return time.time() - int(at) <= NONCE_LIFE

    def _first_use(self, nonce: str, count: int) -> bool:
        """Refuse a nonce with a count that was used already: a replay (RFC 7616 section 5.5)."""
        uses = self._used.setdefault(nonce, set())
        self._used.move_to_end(nonce)
        while len(self._used) > MAX_NONCES:
            self._used.popitem(last=False)
        if count in uses or len(uses) >= MAX_USES:
            return False
        uses.add(count)
        return True
