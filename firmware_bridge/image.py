"""MCUboot images: built and signed for a node, read and verified before one is sent (PROTOCOL.md, section 5).

Format: MCUboot, "design", image format (bootutil/image.h). Numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import struct
from enum import IntEnum
from typing import TYPE_CHECKING

import msgspec

from firmware_bridge.errors import BadImage, Rc

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

MAGIC = 0x96F3B83D
#: Magic, load address, header size, size of the protected TLVs, body size, flags, version (major, minor, revision,
#: build), padding.
_HEADER = struct.Struct("<IIHHIIBBHII")
_TLV_INFO = struct.Struct("<HH")
_TLV = struct.Struct("<HH")
_PLAIN_TLVS, _PROTECTED_TLVS = 0x6907, 0x6908
#: Largest image that is read, in bytes: more than any microcontroller has.
MAX_IMAGE = 4 * 1024 * 1024
MAX_TLVS = 32
MAX_MODEL = 32


class Tlv(IntEnum):
    """What follows the body."""

    KEY_HASH = 0x01
    SHA256 = 0x10
    ED25519 = 0x24
    SECURITY_COUNTER = 0x50
    MODEL = 0xA0
    """First number that MCUboot leaves to vendors."""


class Version(msgspec.Struct, frozen=True, order=True):
    """``major.minor.revision+build``."""

    major: int
    minor: int
    revision: int
    build: int = 0

    @classmethod
    def read(cls, text: str) -> Version | None:
        """Return the version that a node says it has, as MCUmgr writes it or with a plus; None if it is none."""
        parts = text.replace("+", ".").split(".")
        if not 3 <= len(parts) <= 4 or not all(part.isascii() and part.isdigit() and len(part) <= 10 for part in parts):
            return None
        return cls(*map(int, parts))

    def __str__(self) -> str:
        plain = f"{self.major}.{self.minor}.{self.revision}"
        return f"{plain}+{self.build}" if self.build else plain


class Image(msgspec.Struct, frozen=True):
    """An image as it says it is; nothing of it is verified."""

    data: bytes
    version: Version
    digest: bytes
    """SHA-256 over header, body and protected TLVs: what SMP calls its hash."""
    claimed_digest: bytes
    key_hash: bytes
    signature: bytes
    security: int
    model: str

    @property
    def sha(self) -> bytes:
        """SHA-256 over the whole file: by it a node knows an upload again."""
        return hashlib.sha256(self.data).digest()


def build(body: bytes, version: Version, model: str, security: int, key: Ed25519PrivateKey) -> bytes:
    """Return a signed image of ``body``. Raises BadImage for a part that does not fit the format."""
    name = model.encode()
    if not 0 < len(name) <= MAX_MODEL or not 0 <= security < 1 << 32:
        raise BadImage(f"a model has 1 to {MAX_MODEL} bytes, a security counter 32 bits", Rc.INVALID)
    protected = _tlvs(_PROTECTED_TLVS, {Tlv.SECURITY_COUNTER: struct.pack("<I", security), Tlv.MODEL: name})
    numbers = (version.major, version.minor, version.revision, version.build)
    try:
        header = _HEADER.pack(MAGIC, 0, _HEADER.size, len(protected), len(body), 0, *numbers, 0)
    except struct.error as error:
        raise BadImage(f"the header cannot say this: {error}", Rc.INVALID) from None
    digest = hashlib.sha256(header + body + protected).digest()
    plain = {Tlv.SHA256: digest, Tlv.KEY_HASH: key_hash(key.public_key()), Tlv.ED25519: key.sign(digest)}
    return header + body + protected + _tlvs(_PLAIN_TLVS, plain)


def parse(data: bytes) -> Image:
    """Read an image. Raises BadImage for what is cut, too long or not of this format."""
    if not _HEADER.size <= len(data) <= MAX_IMAGE:
        raise BadImage(f"{len(data)} bytes are no image")
    magic, _load, header_size, protected_size, size, _flags, *version, _pad = _HEADER.unpack_from(data)
    if magic != MAGIC or header_size < _HEADER.size:
        raise BadImage("not an MCUboot image")
    signed = header_size + size + protected_size
    protected = _read_tlvs(data, header_size + size, _PROTECTED_TLVS) if protected_size else ({}, 0)
    if protected[1] != protected_size:
        raise BadImage("the protected TLVs have another length than the header says")
    plain, length = _read_tlvs(data, signed, _PLAIN_TLVS)
    if signed + length != len(data):
        raise BadImage("something follows the image")
    counter = protected[0].get(Tlv.SECURITY_COUNTER, b"")
    if len(counter) != 4:
        raise BadImage("no security counter")
    return Image(
        data=data,
        version=Version(*version),
        digest=hashlib.sha256(memoryview(data)[:signed]).digest(),
        claimed_digest=plain.get(Tlv.SHA256, b""),
        key_hash=plain.get(Tlv.KEY_HASH, b""),
        signature=plain.get(Tlv.ED25519, b""),
        security=int.from_bytes(counter, "little"),
        model=_model(protected[0].get(Tlv.MODEL, b"")),
    )


def verify(image: Image, key: Ed25519PublicKey) -> None:
    """Raise BadImage unless ``image`` is whole and signed with ``key``."""
    from cryptography.exceptions import InvalidSignature

    if image.claimed_digest != image.digest:
        raise BadImage("the image is damaged: its hash does not fit")
    if image.key_hash != key_hash(key):
        raise BadImage("the image is not signed with the key of this site")
    try:
        key.verify(image.signature, image.digest)
    except InvalidSignature:
        raise BadImage("the signature does not fit the image") from None


def check_for(image: Image, model: str, running_security: int | None, running: Version | None = None) -> None:
    """Raise BadImage when ``image`` is for another model, or older than what runs (None: not known).

    Older is a smaller security counter, or the same with a lower version: an image that was replaced stays replaced.
    """
    if image.model != model:
        raise BadImage(f"the image is for {image.model}, the node is a {model}", Rc.NOT_SUPPORTED)
    if running_security is not None and image.security < running_security:
        raise BadImage(f"a downgrade: {image.security} after {running_security}", Rc.NOT_SUPPORTED)
    if running is not None and image.security == running_security and image.version < running:
        raise BadImage(f"a downgrade: {image.version} after {running}", Rc.NOT_SUPPORTED)


def key_hash(key: Ed25519PublicKey) -> bytes:
    """Return the SHA-256 of a public key in DER (SubjectPublicKeyInfo, RFC 8410), as imgtool writes it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def _tlvs(magic: int, parts: dict[Tlv, bytes]) -> bytes:
    body = b"".join(_TLV.pack(kind, len(value)) + value for kind, value in parts.items())
    return _TLV_INFO.pack(magic, _TLV_INFO.size + len(body)) + body


def _read_tlvs(data: bytes, start: int, magic: int) -> tuple[dict[int, bytes], int]:
    """Return the TLVs of one area by type and the length of the area. Raises BadImage."""
    if start + _TLV_INFO.size > len(data):
        raise BadImage("the image is cut")
    found_magic, total = _TLV_INFO.unpack_from(data, start)
    end = start + total
    if found_magic != magic or total < _TLV_INFO.size or end > len(data):
        raise BadImage("the image is cut, or has no TLVs where they belong")
    found: dict[int, bytes] = {}
    at = start + _TLV_INFO.size
    while at < end:
        if at + _TLV.size > end or len(found) >= MAX_TLVS:
            raise BadImage("a TLV is cut, or there are too many")
        kind, length = _TLV.unpack_from(data, at)
        at += _TLV.size
        if at + length > end or kind in found:
            raise BadImage("a TLV is cut or comes twice")
        found[kind] = data[at : at + length]
        at += length
    return found, total


def _model(data: bytes) -> str:
    if not 0 < len(data) <= MAX_MODEL or not data.isascii() or not data.decode().isprintable():
        raise BadImage("no model")
    return data.decode()
