"""Who may log in to the hub's own broker, and which topics are theirs: one file, from which Mosquitto's two are made.

Nothing is allowed that is not written: a file that is missing, empty or spoilt leaves the hub's own account alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from typing import TYPE_CHECKING

import msgspec

from hub.durable import write_whole
from hub.model.errors import BrokerError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "accounts.json"
#: The hub's own account and, by ``use_username_as_clientid``, its client identifier: no device can take its session.
HUB = "menshen"
#: Rounds of PBKDF2, as ``mosquitto_passwd`` makes. Few: the passwords are random, and the broker has one thread.
_ROUNDS = 101
_SALT, _PASSWORD = 12, 18  # bytes
#: Largest file read, in bytes, and most topics of one account.
_MAX_BYTES, MAX_TOPICS = 1024 * 1024, 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
_TOPIC = re.compile(r"[\w.:-]+(?:/[\w.:-]+){0,15}\Z", re.ASCII)


class Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One device or gateway. It writes and reads below ``topics`` and nowhere else."""

    password: str
    """Hash in Mosquitto's format: ``$7$rounds$salt$hash``."""
    topics: tuple[str, ...]
    """Roots, without wildcards: ``lane_3`` gives ``lane_3/#``."""

    def __post_init__(self) -> None:
        wrong = [topic for topic in self.topics if not is_topic(topic)]
        if wrong or not 0 < len(self.topics) <= MAX_TOPICS or not self.password.startswith("$7$"):
            raise ValueError("an account needs a hash and 1 to 16 topics")
        if not self.password.isascii() or not self.password.isprintable():
            raise ValueError("a hash is one line")


class Accounts:
    """The file of accounts in the broker's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE

    def fingerprint(self) -> tuple[int, int, int] | None:
        """Return what changes with the file; None when there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def read(self) -> dict[str, Account]:
        """Return the accounts by name; a missing file holds none. Raises BrokerError for one that cannot be read."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(_MAX_BYTES + 1)
            found = msgspec.json.decode(raw, type=dict[str, Account])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BrokerError(f"the broker's accounts cannot be read: {error.strerror}") from None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise BrokerError(f"the broker's accounts are spoilt: remove {FILE} and add the devices again") from None
        if len(raw) > _MAX_BYTES or not all(is_name(name) for name in found):
            raise BrokerError(f"the broker's accounts are spoilt: remove {FILE} and add the devices again")
        return found

    def add(self, name: str, topics: tuple[str, ...] = ()) -> str:
        """Give ``name`` an account, or a new password; return the password, which is kept nowhere.

        ``topics`` are its roots, by default its own name. Raises BrokerError.
        """
        if not is_name(name):
            raise BrokerError("a name is 1 to 64 of A-Z a-z 0-9 _ . - and not the hub's own")
        roots = topics or (name,)
        if wrong := [topic for topic in roots if not is_topic(topic)]:
            raise BrokerError(f"`{wrong[0][:80]}` is no topic of a device: no wildcards, no `$`, not the hub's own")
        if len(roots) > MAX_TOPICS:
            raise BrokerError(f"an account has at most {MAX_TOPICS} topics")
        password = secrets.token_urlsafe(_PASSWORD)
        self._write(self.read() | {name: Account(hashed(password), roots)})
        return password

    def remove(self, name: str) -> bool:
        """Take the account of ``name`` away; tell whether there was one. Raises BrokerError."""
        accounts = self.read()
        if accounts.pop(name, None) is None:
            return False
        self._write(accounts)
        return True

    def _write(self, accounts: dict[str, Account]) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._path, msgspec.json.format(msgspec.json.encode(accounts)))


def is_name(text: str) -> bool:
    """Tell whether ``text`` can name an account: one level of a topic, one word of a file, not the hub's."""
    return _NAME.match(text) is not None and text.casefold() != HUB


def is_topic(text: str) -> bool:
    """Tell whether ``text`` can be the root of an account's topics: literal levels, outside the hub's own."""
    return len(text) <= 200 and _TOPIC.match(text) is not None and text.partition("/")[0].casefold() != HUB


def hashed(password: str) -> str:
    """Return what Mosquitto's password file holds after the name (PBKDF2-SHA512, lib/password_mosq.c of 2.0)."""
    salt = secrets.token_bytes(_SALT)
    made = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ROUNDS)
    return f"$7${_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(made).decode()}"


def password_file(own: str, accounts: dict[str, Account]) -> str:
    """Return Mosquitto's ``password_file``; ``own`` is the hash of the hub's password."""
    lines = [f"{HUB}:{own}", *(f"{name}:{account.password}" for name, account in sorted(accounts.items()))]
    return "\n".join(lines) + "\n"


def access_file(accounts: dict[str, Account], announced: Iterable[str]) -> str:
    """Return Mosquitto's ``acl_file``. ``announced`` are the topic filters on which devices announce themselves."""
    lines = [f"user {HUB}", "topic read #", f"topic readwrite {HUB}/#"]
    filters = tuple(announced)
    for name, account in sorted(accounts.items()):
        lines += ["", f"user {name}", *(f"topic readwrite {root}/#" for root in account.topics)]
        lines += [f"topic write {own}" for own in filter(None, (_own(mask, name) for mask in filters))]
    return "\n".join(lines) + "\n"


def _own(mask: str, name: str) -> str | None:
    """Narrow a filter to one device: of several ``+``, the second stands for the device (``prefix/+/<device>/…``)."""
    levels = mask.split("/")
    free = [place for place, level in enumerate(levels) if level == "+"]
    if len(free) < 2:
        return None
    levels[free[1]] = name
    return "/".join(levels)
