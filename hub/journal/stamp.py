"""Time stamps of a third party (RFC 3161): what is asked, and whether an answer holds. Needs the extra ``evidence``."""

from __future__ import annotations

import hashlib
from typing import Any

from hub.model.errors import HubError


class StampError(HubError):
    """A time stamp does not hold, or cannot be read here."""


def question(digest: bytes) -> bytes:
    """Return the request (DER) for a stamp of a link's hash, with a nonce and a wish for certificates. StampError."""
    client = _client()
    made = client.TimestampRequestBuilder().data(digest).hash_algorithm(client.HashAlgorithm.SHA256).build()
    return bytes(made.as_bytes())


def answered(asked: bytes, token: bytes, digest: bytes, root: bytes | None) -> str:
    """Return the authority's time of a fresh answer, its nonce compared too. Raises StampError."""
    found = _decode(token).tst_info.nonce
    # the nonce stands in the request as an INTEGER (RFC 3161, 2.4.1); its bytes are found there as they are
    if found is None or found.to_bytes((found.bit_length() + 8) // 8, "big") not in asked:
        raise StampError("the answer is to another question")
    return read_stamp(token, digest, root)[0]


def read_stamp(token: bytes, digest: bytes, root: bytes | None) -> tuple[str, bool]:
    """Return the time of a stamp (RFC 3339) and whether its signer leads to ``root`` (PEM). Raises StampError.

    Without a root only that it is about this hash is checked: anybody could have signed it.
    """
    response = _decode(token)
    if response.status != 0:
        raise StampError(f"the authority refused with status {response.status}")
    if bytes(response.tst_info.message_imprint.message) != hashlib.sha256(digest).digest():
        raise StampError("it is about something else")
    if root is not None:
        _check_signer(response, digest, root)
    return response.tst_info.gen_time.isoformat(), root is not None


def _check_signer(response: Any, digest: bytes, root: bytes) -> None:
    from cryptography.x509 import load_pem_x509_certificates

    client, builder = _client(), _client().VerifierBuilder()
    try:
        for certificate in load_pem_x509_certificates(root):
            builder = builder.add_root_certificate(certificate)
        builder.build().verify_message(response, digest)
    except (client.VerificationError, ValueError) as error:
        raise StampError(str(error)) from error


def _decode(token: bytes) -> Any:
    try:
        return _client().decode_timestamp_response(token)
    except ValueError as error:
        raise StampError("it is no time stamp") from error


def _client() -> Any:
    try:
        import rfc3161_client
    except ImportError as error:
        raise StampError("time stamps need the extra `evidence`: pip install 'menshen[evidence]'") from error
    return rfc3161_client
