"""Digest log-in (RFC 7616, section 3.4) for what ``aiohttp`` cannot send: sound in a request, and RTSP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from hub.model.errors import Unsupported

_FIELD = re.compile(r'(\w+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
_HASHES: dict[str, Callable[..., hashlib._Hash]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}
#: Characters of a challenge that are looked at.
_LIMIT = 2048


def authorization(challenge: str, method: str, target: str, user: str, password: str, cnonce: str) -> str:
    """Return the Authorization header that answers ``challenge`` for the first request with its nonce.

    ``target`` is the address as it stands in the request line. Raises Unsupported for any other kind of challenge.
    """
    scheme, _, rest = challenge[:_LIMIT].partition(" ")
    said = {name.lower(): quoted or bare for name, quoted, bare in _FIELD.findall(rest)}
    name, nonce, realm = said.get("algorithm", "MD5"), said.get("nonce", ""), said.get("realm", "")
    offers = {offer.strip().lower() for offer in said.get("qop", "").split(",")}
    algorithm = _HASHES.get(name.upper())
    if scheme.lower() != "digest" or algorithm is None or not nonce or offers.isdisjoint({"auth", ""}):
        raise Unsupported("the camera offers no Digest log-in that is known; set its authentication to digest")

    if not user.isprintable() or set(user) & set('":\\'):
        raise Unsupported("the user has a character that Digest cannot carry")

    def digest(*parts: str) -> str:
        return algorithm(":".join(parts).encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()

    secret, request = digest(user, realm, password), digest(method, target)
    fields = {"username": user, "realm": realm, "nonce": nonce, "uri": target}
    bare = {"algorithm": name}
    if "auth" in offers:
        fields |= {"cnonce": cnonce, "response": digest(secret, nonce, "00000001", cnonce, "auth", request)}
        bare |= {"qop": "auth", "nc": "00000001"}
    else:  # RFC 2069, which old firmware still speaks
        fields |= {"response": digest(secret, nonce, request)}
    if "opaque" in said:
        fields |= {"opaque": said["opaque"]}
    quoted = [f'{key}="{value}"' for key, value in fields.items()]
    return "Digest " + ", ".join([*quoted, *(f"{key}={value}" for key, value in bare.items())])
