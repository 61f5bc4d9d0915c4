"""Whether pictures can be made of what a camera sends: a stream may come in full and be noise, or have no key frame."""

from __future__ import annotations

#: Failures in a row, and seconds without a picture, after which a stream is unreadable; and seconds without a picture
#: or a failure, when there was nothing that could be decoded.
FAILURES, BAD, NONE = 2, 4.0, 60.0


class Unread:
    """One connection. Times are seconds of our own clock."""

    def __init__(self, now: float) -> None:
        self._read = self._came = now
        self._failures = 0

    def came(self, now: float) -> None:
        """A packet has come."""
        self._came = now

    def failed(self) -> None:
        """It could not be decoded."""
        self._failures += 1

    def read(self, now: float) -> None:
        """A picture was made of it, or could have been made if there had been time."""
        self._read, self._failures = now, 0

    @property
    def seconds(self) -> float:
        """For how long nothing could be read though packets came; 0 where that is not worth a word."""
        passed = self._came - self._read
        return round(passed, 1) if passed > (BAD if self._failures >= FAILURES else NONE) else 0.0
