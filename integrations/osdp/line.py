"""The serial port as libosdp wants it: never blocks and never raises, since it is called from C."""

from __future__ import annotations

import fcntl
import os
import termios

from osdp import Channel

from hub.sdk import Unreachable, Unsupported
from integrations.osdp.frames import take_replies


class Line(Channel):  # type: ignore[misc]  # the package has no types
    """An open port: 8 data bits, no parity, 1 stop bit (IEC 60839-11-5)."""

    def __init__(self, path: str, baud: int) -> None:
        """Open the port for us alone. Raises Unreachable, or Unsupported where it is no serial port."""
        super().__init__()
        try:
            self._port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            hint = "; add the user to the group dialout" if isinstance(error, PermissionError) else ""
            raise Unreachable(f"cannot open {path} ({error.strerror}){hint}") from None
        try:
            fcntl.flock(self._port, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _set_raw(self._port, baud)
        except BlockingIOError:
            os.close(self._port)
            raise Unreachable(f"{path} is in use by another program") from None
        except (OSError, termios.error):
            os.close(self._port)
            raise Unsupported(f"{path} is no serial port that knows {baud} baud") from None
        self.lost = ""
        """Why the port is of no use any more."""
        self.answered: set[int] = set()
        """Addresses from which a whole reply came."""
        self._arrived = bytearray()

    def read(self, max_bytes: int) -> bytes:
        """Return what has arrived."""
        if self.lost:
            return b""
        try:
            data = os.read(self._port, max_bytes)
        except BlockingIOError:
            return b""
        except OSError as error:
            self.lost = error.strerror or "read failed"
            return b""
        if not data:
            self.lost = "hung up"
        self._arrived += data
        self.answered |= take_replies(self._arrived)
        return data

    def write(self, buf: bytes) -> int:
        """Send what fits and return how much that was."""
        if self.lost:
            return len(buf)
        try:
            return os.write(self._port, buf)
        except BlockingIOError:
            return 0
        except OSError as error:
            self.lost = error.strerror or "write failed"
            return len(buf)

    def flush(self) -> None:
        """Forget what has arrived."""
        try:
            termios.tcflush(self._port, termios.TCIFLUSH)
        except (OSError, termios.error):
            self.lost = self.lost or "gone"

    def close(self) -> None:
        """Close the port; nothing may call the others after it."""
        self.lost = self.lost or "closed"
        os.close(self._port)


def _set_raw(port: int, baud: int) -> None:
    """Raises OSError or termios.error."""
    speed = getattr(termios, f"B{baud}")
    _, _, _, _, _, _, characters = termios.tcgetattr(port)
    characters[termios.VMIN], characters[termios.VTIME] = 1, 0  # so that reading nothing means that it hung up
    control = termios.CS8 | termios.CREAD | termios.CLOCAL
    termios.tcsetattr(port, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
