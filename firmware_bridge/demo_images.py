"""Images for the demo: a key of its own, one image that runs well and one that crashes, to try an update with."""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.files import write_whole
from firmware_bridge.image import Version, build

MODEL = "menshen-ref"
#: By file name: the body, which the reference node obeys (firmware_bridge/node/README.md), and the version. The rest of
#: the 20 kB is filled up.
IMAGES = {
    "good-1.1.0.img": (b"well", Version(1, 1, 0)),
    "crashes-1.2.0.img": (b"crash", Version(1, 2, 0)),
}
SIZE = 20_000
_PRIVATE, PUBLIC = "key.pem", "firmware.pem"


def make(folder: Path) -> bytes:
    """Write key and images into ``folder``, and return the public half of the key.

    The key is made only once, since nodes keep images that are signed with it.

    ``folder/firmware.pem`` is for the site. Raises OSError, or ValueError for a key file that is damaged.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
        load_pem_private_key,
    )

    file = folder / _PRIVATE
    if not file.exists():
        fresh = Ed25519PrivateKey.generate()
        write_whole(file, fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key = load_pem_private_key(file.read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file.name} is no Ed25519 key")  # noqa: TRY004 - the file's content, not a caller's type
    public = key.public_key()
    write_whole(folder / PUBLIC, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for name, (body, version) in IMAGES.items():
        write_whole(folder / name, build(body.ljust(SIZE, b"."), version, MODEL, version.minor, key))
    return public.public_bytes_raw()
