"""Bytes to lines, with a limit, whatever the cable brings."""

from __future__ import annotations

#: Longest line, in bytes, without its end.
MAX_LINE = 256


class Splitter:
    """Collects bytes. A line ends with LF, CR or both; ``dropped`` counts those that were too long."""

    def __init__(self, mid_line: bool) -> None:
        """``mid_line`` drops everything up to the first end of a line, which may be the rest of one."""
        self.dropped = 0
        self._part = bytearray()
        self._skip = mid_line

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that ``data`` completes, without empty ones."""
        *ended, rest = data.replace(b"\r", b"\n").split(b"\n")
        lines = []
        for part in ended:
            self._add(part)
            if self._part:
                lines.append(bytes(self._part))
            self._part.clear()
            self._skip = False
        self._add(rest)
        return lines

    def _add(self, part: bytes) -> None:
        if self._skip:
            return
        self._part += part
        if len(self._part) > MAX_LINE:
            self.dropped += 1
            self._skip = True
            self._part.clear()
