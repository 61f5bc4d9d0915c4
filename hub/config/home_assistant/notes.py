"""What is said of one automation: what was left out, and what works otherwise than before."""

from __future__ import annotations

import msgspec

from hub.config.home_assistant.read import NotTurned
from hub.model.document import Finding, Mark, Node


class Note(msgspec.Struct, frozen=True):
    """One sentence at its place. ``lost`` tells what was left out from what only works otherwise."""

    mark: Mark
    sentence: str
    lost: bool

    def __str__(self) -> str:
        return str(Finding(self.mark, self.sentence))


class Notes:
    """Collects notes, each of them once."""

    def __init__(self) -> None:
        self._found: dict[Note, None] = {}

    def lose(self, error: NotTurned) -> None:
        """Note that a part was left out."""
        self._found[Note(error.finding.mark, error.finding.sentence, lost=True)] = None

    def tell(self, node: Node, sentence: str) -> None:
        """Note that a part was turned, but works otherwise."""
        finding = NotTurned(node, sentence).finding
        self._found[Note(finding.mark, finding.sentence, lost=False)] = None

    def all(self) -> tuple[Note, ...]:
        """Return them in the order of their places."""
        return tuple(sorted(self._found, key=lambda note: note.mark))
