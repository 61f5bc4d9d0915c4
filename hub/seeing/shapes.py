"""Remembers how large each camera's pictures are: another size is noted, another shape moves what was drawn in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.text import Text

if TYPE_CHECKING:
    from hub.model.ids import EntityId

#: Part by which width to height may change: 1920 by 1088 is 1920 by 1080 with a margin that coders need.
SAME = 0.03

Size = tuple[int, int]


class Shapes:
    """Width and height in pixels, since a camera is watched as it is now."""

    def __init__(self) -> None:
        self._first: dict[EntityId, Size] = {}
        self._last: dict[EntityId, Size] = {}

    def see(self, camera: EntityId, size: Size) -> Size | None:
        """Take the size of a picture (0 for none); return the one before where that was another."""
        if not all(size):
            return None
        self._first.setdefault(camera, size)
        before, self._last[camera] = self._last.get(camera, size), size
        return before if before != size else None

    def why(self, camera: EntityId) -> Text | None:
        """Return that what was drawn no longer fits, while the shape is not the one it was drawn in."""
        if camera not in self._first:
            return None
        first, last = self._first[camera], self._last[camera]
        if abs(last[0] * first[1] / (last[1] * first[0]) - 1) <= SAME:
            return None
        sizes = f"{_said(first)} → {_said(last)}"
        return Text(
            f"画面比例变了（{sizes}），请检查画的区域", f"its picture has another shape ({sizes}): see to its places"
        )

    def forget(self, camera: EntityId) -> None:
        """It is not watched any more, or its places were drawn anew."""
        self._first.pop(camera, None)
        self._last.pop(camera, None)


def _said(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
