"""The site's signing key (Ed25519, RFC 8032): made at first use, never leaves the data folder. Needs `evidence`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from hub.durable import make_folder, write_whole
from hub.model.errors import JournalError

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_KEY = "keys/evidence.pem"


class Signed(NamedTuple):
    """A signature and the public key (PEM) that it holds under."""

    signature: bytes
    public: bytes


def sign(data: Path, content: bytes) -> Signed:
    """Sign with the key of a data folder. Raises JournalError."""
    try:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    except ImportError as error:
        raise _no_extra() from error
    try:
        key = _key(data)
    except (OSError, ValueError) as error:
        raise JournalError(f"the site's key in {_KEY} cannot be used: {error}") from error
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Signed(key.sign(content), public)


def signature_holds(public: bytes, signature: bytes, content: bytes) -> bool:
    """Check a signature. Raises ValueError where ``public`` is no Ed25519 key, JournalError without the extra."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError as error:
        raise _no_extra() from error
    key = load_pem_public_key(public)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("the key is no Ed25519 key")  # noqa: TRY004 - a file's content, no type of ours
    try:
        key.verify(signature, content)
    except InvalidSignature:
        return False
    return True


def fingerprint(public: bytes) -> str:
    """Return what is printed of a public key: SHA-256 of its PEM, 64 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()


def _key(data: Path) -> Ed25519PrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
    )

    path = data / _KEY
    if not path.exists():
        made = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        make_folder(path.parent)
        write_whole(path, made)
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("it is no Ed25519 key")  # noqa: TRY004 - a file's content, no type of ours
    return key


def _no_extra() -> JournalError:
    return JournalError("signed packages need the extra `evidence`: pip install 'menshen[evidence]'")
