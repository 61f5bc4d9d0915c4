"""Sixty names that become a program on a page that takes text for markup, a template, an attribute or an address.

Each is at most 64 characters long, the longest name of a user. What runs sets ``window.hit``.
"""

from __future__ import annotations

_RUN = "hit=1"
#: Elements with a handler that runs by itself, after whatever they must break out of.
_ELEMENTS = (
    "<img src=x onerror={}>",
    "<svg onload={}>",
    "<body onload={}>",
    "<iframe onload={}>",
    "<video src=x onerror={}>",
    "<audio src=x onerror={}>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<style onload={}></style>",
    "<script>{}</script>",
)
_BREAKS = ("", '">', "'>", "-->", "</title>")
_OTHERS = (
    "{{constructor.constructor('hit=1')()}}",
    "${constructor.constructor('hit=1')()}",
    "javascript:hit=1",
    "java\tscript:hit=1",
    "data:text/html,<script>hit=1</script>",
    "' onmouseover=hit=1 autofocus onfocus=hit=1 x='",
    '" onfocus=hit=1 autofocus tabindex=0 x="',
    "<a href=javascript:hit=1>x</a>",
    "<scr<script>ipt>hit=1</scr</script>ipt>",
    "&lt;img src=x onerror=hit=1&gt;",
)
NAMES = tuple(before + element.format(_RUN) for before in _BREAKS for element in _ELEMENTS) + _OTHERS
assert len(NAMES) == len(set(NAMES)) == 60
assert all(len(name) <= 64 for name in NAMES)
#: In a page: tells whether one of the names ran, or became an element of its own.
RAN = """() => window.hit !== undefined || document.querySelector(
    '[src="x"], iframe, [onload], [onerror], [onfocus], [ontoggle], a[href^="javascript:"]'
) !== null"""
