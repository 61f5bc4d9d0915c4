"""Encrypted advertisements: AES-128 in CCM mode (https://bthome.io/encryption).

::

    device information   1 byte
    objects              encrypted
    counter              4 bytes, little-endian, larger in each advertisement
    check                4 bytes (the MIC of CCM)

The nonce is the address as printed, the UUID as sent (D2 FC), the device information and the counter: 13 bytes.
``cryptography`` comes with the extra ``ble``: where it is missing, a key is refused.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from hub.sdk import DecodeError, Unsupported

_UUID = b"\xd2\xfc"
_COUNTER = _MIC = 4


class Cipher:
    """Opens what the sensor with ``address`` seals with ``key`` (16 bytes). Raises Unsupported without the library."""

    def __init__(self, address: str, key: bytes) -> None:
        if importlib.util.find_spec("cryptography") is None:
            raise Unsupported(
                f"{address} has a key, but the Python package cryptography is missing: install it beside Menshen, "
                "or switch encryption off in the sensor and leave the key out"
            )
        aead: Any = importlib.import_module("cryptography.hazmat.primitives.ciphers.aead")
        self._bad: type[Exception] = importlib.import_module("cryptography.exceptions").InvalidTag
        self._open: Any = aead.AESCCM(key, tag_length=_MIC).decrypt
        self._address = bytes.fromhex(address.replace(":", ""))

    def open(self, data: bytes) -> tuple[int, bytes]:
        """Return the counter and the plain objects of whole service data. Raises DecodeError."""
        counter = data[-_COUNTER - _MIC : -_MIC]
        sealed = data[1 : -_COUNTER - _MIC]
        if not sealed:
            raise DecodeError("encrypted service data without objects")
        try:
            plain = bytes(self._open(self._address + _UUID + data[:1] + counter, sealed + data[-_MIC:], None))
        except self._bad:
            raise DecodeError("the key is wrong, or the message was not sent by this sensor") from None
        return int.from_bytes(counter, "little"), plain
