"""What people prove themselves with: passwords, one-time codes, recovery codes, the code of the first run."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.model.text import clean
from hub.model.time import SECOND
from hub.web.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.time import Instant

Answer = TypeVar("Answer")

#: OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane. One lane, so that one sign-in takes one core
#: for about 30 ms and leaves the others to alarms.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
#: Passwords hashed at a time, and waiting; more are told to try again.
AT_ONCE, WAITING = 2, 20
#: Characters of a password (ASVS 6.2.1 asks for 8 at least; the most keeps hashing short).
SHORTEST, LONGEST = 10, 128
#: Different characters that a password needs; with this, counting and one repeated word fall out.
_DIFFERENT = 5
#: Passwords of ten and more characters that every list of leaked ones begins with.
_KNOWN = (
    "1234567890", "12345678910", "0123456789", "qwertyuiop", "1q2w3e4r5t", "1qaz2wsx3edc", "password123",
    "password1234", "admin123456", "menshen123", "woaini1314", "woaini1314520", "a123456789", "qwerty123456",
    "abcd123456", "iloveyou123", "passw0rd123", "letmein123", "welcome123", "administrator",
)  # fmt: skip

#: Names that nobody may take: the audit trail means somebody else by them.
RESERVED = ("console",)

#: Seconds of a time step, and steps accepted before and after the present one (RFC 6238, 5.2).
_STEP, _DRIFT = 30, 1
_ISSUER = "门神 Menshen"
#: Letters and digits that are not mistaken for one another when read aloud.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: Groups of four of a recovery code (80 bits: a fast hash is enough) and of the first run's (40 bits; ten tries a
#: minute for a day guess it once in 76 million).
_RECOVERY, _FIRST = 4, 2
#: Recovery codes made at a time.
RECOVERY_CODES = 10


def normal(text: str) -> str:
    """Return a text that a person typed: the same however a keyboard composes it (NIST SP 800-63B, 5.1.1.2)."""
    return unicodedata.normalize("NFKC", text)


def name_of(text: str) -> str:
    """Return a name as it is kept and compared; empty where nothing of it can be shown."""
    return clean(normal(text), 64)


def weakness(password: str, name: str) -> str | None:
    """Return the word of what is wrong with a new password, if anything: short, long, simple, known, name."""
    text, lower = normal(password), normal(password).casefold()
    if len(text) < SHORTEST:
        return "short"
    if len(text) > LONGEST:
        return "long"
    if len(set(lower)) < _DIFFERENT:
        return "simple"
    if lower in _KNOWN or lower in "01234567890123456789" or lower in "98765432109876543210":
        return "known"
    return "name" if len(name) > 1 and lower.replace(name.casefold(), "").strip("0123456789") == "" else None


def hash_password(password: str) -> str:
    """Hash a password; takes about 30 ms of one core."""
    return _HASHER.hash(normal(password))


class Passwords:
    """Hashes off the loop, few at a time."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="password")
        self._waiting = 0
        self._stranger: str | None = None

    async def hash(self, password: str) -> str:
        """Hash a password. Raises Refusal when too many wait."""
        return await self._run(hash_password, password)

    async def verify(self, kept: str | None, password: str) -> bool:
        """Compare; ``kept`` None is a name that nobody has, and takes as long. Raises Refusal when too many wait."""
        return await self._run(self._verify, kept, password)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False)

    def _verify(self, kept: str | None, password: str) -> bool:
        if self._stranger is None:
            self._stranger = _HASHER.hash(secrets.token_urlsafe())
        try:
            _HASHER.verify(kept or self._stranger, normal(password))
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    async def _run(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        if self._waiting >= WAITING:
            raise Refusal(503, "busy", "too many sign-ins at once; try again in a moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1


# second factor


def new_secret() -> str:
    """Make the secret of a second factor: 160 bits in base32 (RFC 4226, 4)."""
    return pyotp.random_base32(32)


def enrolment(secret: str, name: str) -> tuple[str, str]:
    """Return the address that authenticator apps read, and its QR code as the address of an SVG picture."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=_ISSUER)
    return uri, qr(uri)


def qr(text: str) -> str:
    """Return the QR code of a text as the address of an SVG picture (``data:``)."""
    import segno  # 40 ms of every start, for what is seldom needed

    return segno.make_qr(text, error="m").svg_data_uri(scale=5, border=3, light="#fff")


def step_of(secret: str, code: str, now: Instant) -> int | None:
    """Return the time step whose code this is, if it is one of about now."""
    present, found = now // SECOND // _STEP, None
    for step in range(present - _DRIFT, present + _DRIFT + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step).encode(), code.encode()):
            found = step
    return found


# codes


def new_recovery_codes() -> list[str]:
    """Make recovery codes to be written down."""
    return [_code(_RECOVERY) for _ in range(RECOVERY_CODES)]


def new_first_code() -> str:
    """Make the code that the console prints for the first run."""
    return _code(_FIRST)


def plain_code(code: str) -> str:
    """Return a code as it is compared: capitals, without what people put between groups."""
    return "".join(letter for letter in code.upper() if letter in _LETTERS)


def _code(groups: int) -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(groups))
