"""What the hub cannot do right now, in words for the banner. Each problem has a key and is raised and settled once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.model.text import Text


class Problems:
    """The present problems, oldest first."""

    def __init__(self) -> None:
        self._present: dict[str, Text] = {}
        self._listeners: list[Callable[[], None]] = []

    def raise_(self, key: str, text: Text) -> bool:
        """Note a problem; True when it is new, so that the caller logs it once."""
        new = self._present.get(key) != text
        self._present[key] = text
        if new:
            self._tell()
        return new

    def settle(self, key: str) -> bool:
        """Take a problem back; True when it was there."""
        present = self._present.pop(key, None) is not None
        if present:
            self._tell()
        return present

    def listen(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` when a problem comes or goes."""
        self._listeners.append(listener)

    def __contains__(self, key: str) -> bool:
        return key in self._present

    def texts(self) -> list[Text]:
        """Return the present problems."""
        return list(self._present.values())

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
