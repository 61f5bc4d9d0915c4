"""SOAP 1.2 envelopes as ONVIF uses them (Core Specification, section 5): built by hand, answers read with suspicion.

WS-Security UsernameToken with PasswordDigest: Base64(SHA-1(nonce + created + password)), OASIS "Web Services Security
UsernameToken Profile 1.0", section 3.1. ``created`` is the camera's own time, or it takes the message for a replay.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from hub.sdk import BadCredentials, DecodeError, DeviceError, Unreachable, Unsupported, clean
from integrations.onvif.tree import Element, find, local, parse

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://www.w3.org/2005/08/addressing"
_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
#: Subcodes for a wrong log-in and for a user who may not: ONVIF Core 5.11.2, and WS-Security 12 for ``Failed…``.
_DENIED = {"NotAuthorized", "FailedAuthentication", "FailedCheck", "InvalidSecurity", "OperationProhibited"}
#: Subcodes for what the camera does not have (ONVIF Core 5.11.2).
_MISSING = {"ActionNotSupported", "OptionalActionNotImplemented", "UnknownAction"}


@dataclass(frozen=True, slots=True)
class Login:
    """User, password and the camera's time; ``nonce`` is 16 fresh random bytes."""

    user: str
    password: str
    created: datetime
    nonce: bytes

    def header(self) -> str:
        """Return the Security header block."""
        created = self.created.strftime("%Y-%m-%dT%H:%M:%SZ")
        nonce = base64.b64encode(self.nonce).decode()
        return (
            f'<wsse:Security xmlns:wsse="{_OASIS}-wssecurity-secext-1.0.xsd"'
            f' xmlns:wsu="{_OASIS}-wssecurity-utility-1.0.xsd"><wsse:UsernameToken>'
            f"<wsse:Username>{escape(self.user)}</wsse:Username>"
            f'<wsse:Password Type="{_OASIS}-username-token-profile-1.0#PasswordDigest">'
            f"{password_digest(self.nonce, created, self.password)}</wsse:Password>"
            f'<wsse:Nonce EncodingType="{_OASIS}-soap-message-security-1.0#Base64Binary">{nonce}</wsse:Nonce>'
            f"<wsu:Created>{created}</wsu:Created></wsse:UsernameToken></wsse:Security>"
        )


def password_digest(nonce: bytes, created: str, password: str) -> str:
    """Return Base64(SHA-1(nonce + created + password)); the standard knows no other hash."""
    digest = hashlib.sha1(nonce + created.encode() + password.encode(), usedforsecurity=False)
    return base64.b64encode(digest.digest()).decode()


def envelope(body: str, *headers: str) -> bytes:
    """Return a message with ``body`` and ``headers``, which are XML already."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{ENVELOPE}">'
        f"<s:Header>{''.join(headers)}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode("utf-8", "replace")


def read(answer: bytes, expected: str) -> Element:
    """Return the element ``expected`` in the body of an answer.

    Raises DecodeError for what is no such answer, and the DeviceError that a SOAP fault stands for.
    """
    root = parse(answer)
    body = find(root, "Body")
    if local(root) != "Envelope" or body is None:
        raise DecodeError("not a SOAP message")
    if (fault := find(body, "Fault")) is not None:
        raise refusal(fault)
    found = find(body, expected)
    if found is None:
        raise DecodeError(f"no {expected} in the answer")
    return found


def refusal(fault: Element) -> DeviceError:
    """Say what a SOAP 1.2 fault (or 1.1, from old firmware) means: who must act, or whether to try again."""
    codes = {
        (element.text or "").strip().rpartition(":")[2]
        for element in fault.iter()
        if local(element) in {"Value", "faultcode"}
    }
    spoken = (find(fault, "Reason", "Text"), find(fault, "faultstring"))
    said = clean(next((element.text or "" for element in spoken if element is not None), ""), 100)
    reason = f"{said} ({clean('/'.join(sorted(codes)), 80)})"
    if codes & _DENIED or "not authorized" in said.lower():
        return BadCredentials(f"the camera refused the user, the password or the user's rights: {reason}")
    if codes & {"Receiver", "Server"} and not codes & _MISSING:
        return Unreachable(f"the camera could not do it now: {reason}")
    return Unsupported(f"the camera refused: {reason}")


def question(name: str, namespace: str, inner: str = "") -> str:
    """Return a body element of ``namespace`` whose children use the prefix ``q``."""
    return f'<q:{name} xmlns:q="{namespace}">{inner}</q:{name}>'
