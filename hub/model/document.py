"""A configuration document as a tree that remembers where each value stands, and what was found wrong with it."""

from __future__ import annotations

import msgspec


class Mark(msgspec.Struct, frozen=True, order=True, gc=False):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong, where, and what to do: printed as ``file:line:column: sentence``."""

    mark: Mark
    sentence: str
    warning: bool = False
    """Worth a look, but the set is taken all the same."""

    def __str__(self) -> str:
        kind = "提示 warning: " if self.warning else ""
        return f"{self.mark.file}:{self.mark.line}:{self.mark.column}: {kind}{self.sentence}"


class Node(msgspec.Struct, frozen=True, gc=False):
    """One value with its place; the place is put together only when somebody asks: a site has 100,000 values."""

    file: str
    line: int
    column: int

    @property
    def mark(self) -> Mark:
        """Return where it stands."""
        return Mark(self.file, self.line, self.column)


class Scalar(Node, frozen=True, gc=False):
    """A leaf, still as it was written. ``quoted`` tells text from words that only look like a number or a time."""

    text: str
    quoted: bool = False


class Sequence(Node, frozen=True, gc=False):
    """A list."""

    items: tuple[Node, ...]


class Mapping(Node, frozen=True, gc=False):
    """Keys in the order they were written; a key is never there twice."""

    items: tuple[tuple[Scalar, Node], ...]

    def get(self, key: str) -> Node | None:
        """Return the value of ``key``."""
        for name, value in self.items:  # a generator would cost more than the few comparisons
            if name.text == key:
                return value
        return None

    def key(self, key: str) -> Scalar | None:
        """Return the key itself, for its place."""
        return next((name for name, _ in self.items if name.text == key), None)
