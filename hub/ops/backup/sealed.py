"""Encryption of backups: the age format (age-encryption.org/v1), locked by a passphrase.

A file begins with ``MAGIC`` and the length of the lock in two bytes, big-endian. The lock is an age file, encrypted
with the passphrase (scrypt), and holds an X25519 identity made for it. The rest is an age file for that
identity. So a backup of any size is a stream, and nobody without the passphrase can make one that opens: the identity's
public half stands nowhere. Any ``age`` opens both parts (docs/backup.md).
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from hub.model.errors import Unsupported
from hub.ops.backup.archive import BadBackup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MAGIC = b"menshen-backup-1\n"
#: Largest lock, in bytes; one has about 300.
MAX_LOCK = 4_096
#: Fewest characters of a passphrase.
MIN_PASSPHRASE = 12
#: Work of a lock, as the power of two that age writes beside it: the ``age`` of Filippo Valsorda takes 18.
ENOUGH_WORK = 17
#: How often a lock is made or tried anew when the library has misjudged the machine, and the seconds between.
TRIES, PAUSE = 6, 0.5

Answer = TypeVar("Answer")


class Key:
    """A passphrase, with the locks that it has made and opened: each takes a second, on purpose.

    How much work is a second, the library (rage) guesses from the first millisecond. On a busy machine the guess was
    seen 32 times too low: a lock made then is that much easier to guess, and a good one is refused as too much work.
    Neither is taken from one guess.
    """

    def __init__(self, passphrase: str) -> None:
        """Raises Unsupported."""
        self._library = _library()
        self._passphrase = passphrase
        self._opened: dict[bytes, Any] = {}

    def make(self) -> tuple[bytes, Any]:
        """Return a lock and the identity inside."""
        if not self._opened:
            identity, locks = self._library.x25519.Identity.generate(), list[bytes]()
            while len(locks) < TRIES and not (locks and work(locks[-1]) >= ENOUGH_WORK):
                locks.append(self._library.passphrase.encrypt(str(identity).encode(), self._passphrase))
            self._opened[max(locks, key=work)] = identity
        return next(iter(self._opened.items()))

    def open(self, lock: bytes) -> Any:
        """Return the identity inside. Raises BadBackup."""
        if lock not in self._opened:
            try:
                self._opened[lock] = self._library.x25519.Identity.from_str(self._unlocked(lock).decode())
            except (self._library.DecryptError, self._library.IdentityError, UnicodeDecodeError):
                raise BadBackup("the passphrase is wrong, or the backup is damaged at its beginning") from None
        return self._opened[lock]

    def _unlocked(self, lock: bytes) -> bytes:
        for _ in range(TRIES):
            try:
                return cast("bytes", self._library.passphrase.decrypt(lock, self._passphrase))
            except self._library.DecryptError as error:
                if not str(error).startswith("Excessive work"):
                    raise
            time.sleep(PAUSE)
        raise BadBackup(
            "this machine is too slow or too busy to open the backup: end other programs, or take a faster machine"
        )


def work(lock: bytes) -> int:
    """Return the work that a lock asks of who guesses a passphrase, as a power of two; 0 if it does not say.

    The second line is ``-> scrypt SALT WORK`` (age-encryption.org/v1).
    """
    words = lock.split(b"\n", 2)[1].split()
    return int(words[3]) if len(words) == 4 and words[1] == b"scrypt" else 0


def seal(target: BinaryIO, key: Key, fill: Callable[[BinaryIO], None]) -> None:
    """Encrypt what ``fill`` writes into ``target``. Raises what ``fill`` raises, and OSError."""
    lock, identity = key.make()
    target.write(MAGIC + len(lock).to_bytes(2, "big") + lock)
    with _piped(fill) as plain:
        _library().encrypt_io(plain, target, [identity.to_public()])


class Sealed:
    """A backup that its key has unlocked."""

    def __init__(self, path: Path, key: Key) -> None:
        """Unlock. Raises BadBackup, also for a wrong passphrase, or OSError."""
        self._library = _library()
        self._path = path
        with path.open("rb") as source:
            if source.read(len(MAGIC)) != MAGIC:
                raise BadBackup("this is no backup of Menshen")
            size = int.from_bytes(source.read(2), "big")
            if not 0 < size <= MAX_LOCK:
                raise BadBackup("the backup is damaged at its beginning")
            self._identity = key.open(source.read(size))
            self._start = source.tell()

    def read(self, drain: Callable[[BinaryIO], Answer]) -> Answer:
        """Decrypt, let ``drain`` read it and return its answer. Raises BadBackup or what ``drain`` raises."""
        with self._path.open("rb") as source, _piped(lambda plain: self._decrypt(source, plain)) as plain:
            answer = drain(plain)
            while plain.read(1 << 16):  # the last block, too, must prove that it is the last
                pass
        return answer

    def _decrypt(self, source: BinaryIO, plain: BinaryIO) -> None:
        source.seek(self._start)
        try:
            self._library.decrypt_io(source, plain, [self._identity])
        except self._library.DecryptError:
            raise BadBackup("the backup is damaged or was altered") from None
        except OSError as error:
            if error.errno is None:  # how the library calls a block that does not prove itself, or is not there
                raise BadBackup("the backup is damaged or was altered") from None
            raise


@contextmanager
def _piped(write: Callable[[BinaryIO], None]) -> Iterator[BinaryIO]:
    """Give what ``write`` writes as a file to read; it runs in a thread, and its error is raised at the end."""
    low, high = os.pipe()
    errors: list[Exception] = []

    def run() -> None:
        end = os.fdopen(high, "wb")
        try:
            write(cast("BinaryIO", end))
            end.flush()
        except Exception as error:  # noqa: BLE001 - raised below, by the thread that reads
            errors.append(error)  # before the reader sees the end
        with suppress(OSError):  # what is left over after an error has no reader
            end.close()

    thread = threading.Thread(target=run, name="backup")
    thread.start()
    plain = os.fdopen(low, "rb")
    try:
        yield cast("BinaryIO", plain)
        thread.join()
    except Exception:  # whatever the reader made of it, what stopped the writer is the reason
        if errors:  # the reader only saw that it ended too early
            raise errors[0] from None
        raise
    finally:
        plain.close()  # a writer that still writes ends here
        thread.join()
    if errors:
        raise errors[0]


def _library() -> Any:
    """Return pyrage, an optional extra. Raises Unsupported."""
    try:
        import pyrage
    except ImportError:
        raise Unsupported("backups need the extra `backup`: pip install 'menshen[backup]'") from None
    return pyrage
