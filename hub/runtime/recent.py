"""The last deliveries by packet identifier, in memory whose size is the same from the start to the end."""

from __future__ import annotations

from array import array

#: Packet identifiers of MQTT (3.1.1, 2.3.1), and bytes of a digest.
_IDS, _SIZE = 65_536, 16


class Recent:
    """Keeps the digest of each of the last ``most`` deliveries.

    A dictionary of them grew by 5 MiB over the first hours, and nobody could tell that from a leak.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._digests = bytearray(b"\xff" * (_IDS * _SIZE))  # written once, so that the pages are ours from now on
        self._when = array("q", [-1]) * _IDS
        self._count = 0

    def keep(self, mid: int, digest: bytes) -> None:
        """Note a delivery; ``digest`` has 16 bytes."""
        self._digests[mid * _SIZE : (mid + 1) * _SIZE] = digest
        self._when[mid] = self._count
        self._count += 1

    def holds(self, mid: int, digest: bytes) -> bool:
        """Tell whether this was delivered under that identifier, and not long ago."""
        when = self._when[mid]
        return self._count - self._most <= when >= 0 and self._digests[mid * _SIZE : (mid + 1) * _SIZE] == digest

    def clear(self) -> None:
        """Forget all."""
        self._when = array("q", [-1]) * _IDS
