"""A firmware image as somebody uploads it: header, TLVs, signature."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware_bridge.image import check_for, parse, verify

#: The key of the example in PROTOCOL.md, section 6.
_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32))).public_key()


def take(data: bytes) -> None:
    """Read and verify an image, and look whether a node may have it. Raises HubError."""
    image = parse(data)
    check_for(image, "menshen-ref", 5)
    verify(image, _KEY)
