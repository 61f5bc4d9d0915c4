"""Reads XML from a device: no DOCTYPE, no entities of its own, limits on depth and number of elements.

Elements are found by their local names: cameras differ in prefixes and in versions of one namespace (WS-Addressing of
2004 and of 2005), never in what the names mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

from hub.sdk import DecodeError

Element = ElementTree.Element
#: Deepest nesting and most elements of one message; a topic set has about 10 levels and 500 elements.
MAX_DEPTH, MAX_ELEMENTS = 64, 20_000


class _Builder(ElementTree.TreeBuilder):
    def __init__(self) -> None:
        super().__init__()
        self._depth = self._count = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._depth += 1
        self._count += 1
        if self._depth > MAX_DEPTH or self._count > MAX_ELEMENTS:
            raise DecodeError("XML that is nested too deep or has too many elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse(body: bytes) -> Element:
    """Return the root element. Raises DecodeError. Bytes that are no UTF-8 become replacement characters."""
    text = body.decode("utf-8-sig", "replace")  # as text, so that no declared encoding hides anything
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # SOAP 1.2 part 1, section 5, forbids both
        raise DecodeError("XML with a DOCTYPE")
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314 - entities and DOCTYPE are refused above
    try:
        parser.feed(text)
        root: Element = parser.close()
    except (ElementTree.ParseError, ValueError) as error:
        raise DecodeError(f"not XML ({type(error).__name__})") from None
    return root


def local(element: Element) -> str:
    """Return the name without its namespace. Comments are no elements here: the builder drops them."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the children called ``name``."""
    return (child for child in element if local(child) == name)


def find(element: Element | None, *path: str) -> Element | None:
    """Return the first element at ``path`` of local names."""
    for name in path:
        element = next(children(element, name), None) if element is not None else None
    return element


def text(element: Element | None, *path: str, limit: int = 1024) -> str:
    """Return the text at ``path`` without outer blanks, or an empty one. Raises DecodeError over ``limit``."""
    found = find(element, *path)
    said = (found.text or "").strip() if found is not None else ""
    if len(said) > limit:
        raise DecodeError(f"a text of {len(said)} characters where {limit} are allowed")
    return said


def attribute(element: Element, name: str, limit: int = 64) -> str:
    """Return an attribute without outer blanks, or an empty one. Raises DecodeError over ``limit``."""
    said = element.get(name, "").strip()
    if len(said) > limit:
        raise DecodeError(f"an attribute of {len(said)} characters where {limit} are allowed")
    return said
