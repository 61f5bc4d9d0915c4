"""The shapes of the API that have to do with people: signing in, accounts, tokens, the audit trail."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from hub.web.schema import RoleName

#: Characters of a name, password or code that are read at all.
Short = Annotated[str, msgspec.Meta(max_length=64)]
Long = Annotated[str, msgspec.Meta(max_length=256)]


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sign in with a name and a password, and a code where a second factor is set up; or with a token alone."""

    token: Long | None = None
    name: Short | None = None
    password: Long | None = None
    code: Short | None = None
    """Six digits of the authenticator app, or a recovery code."""


class FirstRunOut(msgspec.Struct, frozen=True):
    """Whether the hub waits for its first administrator."""

    open: bool


class FirstRunIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make the first administrator with the code that the console printed."""

    code: Short
    name: Short
    password: Long


class AccountOut(msgspec.Struct, frozen=True):
    """One's own account."""

    name: str
    role: RoleName
    second_factor: bool
    recovery_left: int


class PasswordIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Prove again who one is."""

    password: Long


class PasswordChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Take another password."""

    password: Long
    new: Long


class CodeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A code of the authenticator app."""

    code: Short


class EnrolmentOut(msgspec.Struct, frozen=True):
    """What an authenticator app needs; in force once its first code has arrived."""

    secret: str
    uri: str
    picture: str
    """QR code, the address of an SVG picture (``data:``)."""


class RecoveryOut(msgspec.Struct, frozen=True):
    """Codes for the day the phone is lost; shown once."""

    codes: list[str]


class UserOut(msgspec.Struct, frozen=True):
    """One user, as administrators see them."""

    id: int
    name: str
    role: RoleName
    disabled: bool
    second_factor: bool
    created_at: str
    seen_at: str | None
    """When a session of theirs was last used, to a minute; null where none is open."""


class UserIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Add a user."""

    name: Short
    role: RoleName
    password: Long


class UserChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Change a user; what is left out stays. Every change ends the user's sessions."""

    role: RoleName | None = None
    disabled: bool | None = None
    password: Long | None = None
    drop_second_factor: bool = False


class TokenOut(msgspec.Struct, frozen=True):
    """Who holds a token."""

    id: int
    name: str
    role: RoleName
    created_at: str


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a token in the place of the one that this name had."""

    name: Short
    role: RoleName


class NewTokenOut(msgspec.Struct, frozen=True):
    """A token; shown once."""

    token: str


class AuditOut(msgspec.Struct, frozen=True):
    """What a person did."""

    id: int
    at: str
    actor: str
    action: str
    target: str
    address: str
    outcome: str
    """``done``, or the word of the refusal."""
    body: dict[str, Any]
    """What more there is to say, by the kind of action."""
