"""What a site enters for one mail account."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "email"

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: ``dot-atom@domain`` of RFC 5322, 3.4.1, in ASCII: nothing in it can end a header or a command.
Address = Annotated[
    str, msgspec.Meta(pattern=rf"\A(?=[^@]{{1,64}}@){_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*\Z", max_length=254)
]
#: A name or an address of IP.
Host = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9:._-]{1,253}\Z")]


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server, the account there, and who gets the mail."""

    name: Text
    host: Host
    sender: Address
    recipients: Annotated[tuple[Address, ...], msgspec.Meta(min_length=1, max_length=20)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 465
    """465 is the port of ``tls``, 587 that of ``starttls``, 25 that of a relay in the house."""
    security: Literal["tls", "starttls", "none"] = "tls"
    """``none`` is for a relay in the house that asks for no password; a password never goes out in clear."""
    user: str = ""
    password: str = ""
    ca: str = ""
    """PEM file in the site folder with the authority of a mail server in the house; empty for the public ones."""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=60)] = 20.0
    """Seconds for one mail, from looking up the host to the server's last answer."""


def check_login(config: Config) -> None:
    """Refuse (Unsupported) a log-in that would be sent in clear or cannot be written in SMTP's ASCII."""
    if config.security == "none" and (config.user or config.password):
        raise Unsupported("user and password are sent over TLS only: set `security` to tls or starttls")
    for text in (config.user, config.password):
        if text and not (text.isascii() and text.isprintable()):
            raise Unsupported("user and password of a mail account must be plain ASCII")
