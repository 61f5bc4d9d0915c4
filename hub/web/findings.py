"""Findings as the page shows them: in Chinese, too, and with the part of the rule that each concerns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.model.document import Mapping, Sequence
from hub.web.finding_words import LONGEST, in_chinese
from hub.web.schema import FindingOut

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hub.model.document import Finding, Node
    from hub.model.site import Site


def shown(findings: Iterable[Finding], document: Node | None = None, site: Site | None = None) -> list[FindingOut]:
    """Turn findings into those of the API; with the document each has the path of its place.

    With the site, zones are called by their names.
    """
    zones = {} if site is None else {str(zone.id): zone.name.zh for zone in site.zones.values()}
    places = sorted(_places(document, ())) if document is not None else []
    return [
        FindingOut(
            line=found.mark.line,
            column=found.mark.column,
            sentence=found.sentence[:LONGEST],
            zh=in_chinese(found.sentence, zones),
            warning=found.warning,
            path=_path(places, (found.mark.line, found.mark.column)),
            file=found.mark.file,
        )
        for found in findings
    ]


Place = tuple[tuple[int, int], int, tuple[str, ...]]


def _places(node: Node, path: tuple[str, ...]) -> Iterator[Place]:
    """Return where each part begins; a key counts as its part."""
    yield (node.line, node.column), len(path), path
    if isinstance(node, Mapping):
        for key, value in node.items:
            yield (key.line, key.column), len(path) + 1, (*path, key.text)
            yield from _places(value, (*path, key.text))
    elif isinstance(node, Sequence):
        for index, item in enumerate(node.items):
            yield from _places(item, (*path, str(index)))


def _path(places: list[Place], at: tuple[int, int]) -> str:
    """Return the part that begins at a place, of several the outermost; else the last that begins before it."""
    here = [path for start, _, path in places if start == at]
    before = [path for start, _, path in places if start < at]
    return ".".join(here[0] if here else before[-1] if before else ())
