"""The section ``reports`` of hub.yaml: which reports are sent by e-mail, and to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hub.model.period import Span
from hub.model.reader import suggest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub.model.document import Node
    from hub.model.reader import Reader
    from hub.model.site import Contact

#: The integration that can send a file.
MAIL = "email"


class ReportSettings(msgspec.Struct, frozen=True):
    """What hub.yaml says of reports; nothing is sent where either is empty."""

    every: tuple[Span, ...] = ()
    to: tuple[str, ...] = ()
    """Contacts whose notifier is a mail account."""


def read_reports(reader: Reader, node: Node | None, contacts: Mapping[str, Contact]) -> ReportSettings:
    """Read the section."""
    if node is None:
        return ReportSettings()
    fields = reader.mapping(node, "`reports`", required=("every", "to"))
    if fields is None:
        return ReportSettings()
    spans = [reader.word(item, "period", Span) for item in reader.sequence(fields.get("every"), "`every`")]
    to = [_contact(reader, item, contacts) for item in reader.sequence(fields.get("to"), "`to`")]
    for name, found in (("every", spans), ("to", to)):
        if not found:
            reader.report(fields.get(name) or fields, f"`{name}` is empty: no report would be sent")
    return ReportSettings(
        every=tuple(dict.fromkeys(span for span in spans if span is not None)),
        to=tuple(dict.fromkeys(name for name in to if name is not None)),
    )


def _contact(reader: Reader, node: Node, contacts: Mapping[str, Contact]) -> str | None:
    name = reader.text(node, "a contact", 64)
    if name is None:
        return None
    contact = contacts.get(name)
    if contact is None:
        reader.report(node, f"no contact `{name}`{suggest(name, contacts)}")
        return None
    if contact.notifier is None or contact.notifier.partition(".")[0] != MAIL:
        reader.report(node, f"contact `{name}` has no mail: its `notifier` must be one like `{MAIL}.office`")
        return None
    return name
