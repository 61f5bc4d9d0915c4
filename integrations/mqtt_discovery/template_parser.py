"""From the text of a value template to the tree that template.py evaluates.

::

    template = "{{" ( operand | literal "if" operand [ comparison literal ] "else" literal ) "}}"
    operand  = ( "value" | "value_json" { "." name | "[" string "]" } ) { "|" filter }
    literal  = string | number | true | false
"""

from __future__ import annotations

import re

from hub.sdk import DecodeError, clean
from integrations.mqtt_discovery.template import COMPARISONS, FILTERS, Choice, Operand, Scalar, Template

#: Longest template read, in characters.
_LONGEST = 500
_BRACES = re.compile(r"\{\{(.*)\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"""\s*(?: (?P<string>'[^'\\]*'|"[^"\\]*") | (?P<number>-?\d+(?:\.\d+)?) | (?P<name>[A-Za-z_]\w*)
           | (?P<sign>==|!=|>=|<=|[<>.|\[\]]) )""",
    re.VERBOSE | re.ASCII,
)
_TRUTH = {"true": True, "True": True, "false": False, "False": False}


def parse(source: str) -> Template:
    """Read a template. Raises DecodeError with the reason when it is of a kind that is not supported."""
    try:
        return _Parser(_tokens(source)).template()
    except DecodeError as error:
        raise DecodeError(f"the template {clean(source, 60)} is not supported: {error.reason}") from None


def _tokens(source: str) -> list[tuple[str, str]]:
    """Return (kind, text) of each token, ended by ("end", "")."""
    if len(source) > _LONGEST:
        raise DecodeError(f"it is longer than {_LONGEST} characters")
    braces = _BRACES.fullmatch(source.strip())
    if braces is None:
        raise DecodeError("only one expression in {{ }} is read")
    inner = braces[1].rstrip()
    tokens, position = [], 0
    while position < len(inner):
        match = _TOKEN.match(inner, position)
        if match is None:
            raise DecodeError(f"{clean(inner[position:].lstrip(), 12)} is not understood")
        kind = match.lastgroup or ""
        tokens.append((kind, match[kind]))
        position = match.end()
    return [*tokens, ("end", "")]


class _Parser:
    """Recursive descent over the grammar above, one token ahead."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def template(self) -> Template:
        kind, text = self._tokens[self._at]
        chooses = kind in {"string", "number"} or text in _TRUTH
        tree = self._choice() if chooses else self._operand()
        self._expect("")
        return tree

    def _choice(self) -> Choice:
        then = self._literal()
        self._expect("if")
        operand = self._operand()
        compare: str | None = None
        against: Scalar = True
        if self._tokens[self._at][1] in COMPARISONS:
            compare = self._take("sign")
            against = self._literal()
        self._expect("else")
        return Choice(then, operand, compare, against, self._literal())

    def _operand(self) -> Operand:
        root = self._take("name")
        if root not in {"value", "value_json"}:
            raise DecodeError(f"'{clean(root, 40)}' is neither value nor value_json")
        path: list[str] = []
        while root == "value_json" and self._tokens[self._at][1] in {".", "["}:
            if self._take("sign") == ".":
                path.append(self._take("name"))
            else:
                path.append(self._take("string")[1:-1])
                self._expect("]")
        filters: list[str] = []
        while self._tokens[self._at] == ("sign", "|"):
            self._at += 1
            filters.append(self._take("name"))
            if filters[-1] not in FILTERS:
                raise DecodeError(f"the filter '{clean(filters[-1], 40)}' is not one of {', '.join(FILTERS)}")
        return Operand(None if root == "value" else tuple(path), tuple(filters))

    def _literal(self) -> Scalar:
        kind, text = self._tokens[self._at]
        if kind == "name" and text in _TRUTH:
            self._at += 1
            return _TRUTH[text]
        if kind == "number":
            self._at += 1
            return float(text) if "." in text else int(text)
        return self._take("string")[1:-1]

    def _take(self, kind: str) -> str:
        found, text = self._tokens[self._at]
        if found != kind:
            raise DecodeError(f"'{clean(text, 20)}' stands where a {kind} was expected")
        self._at += 1
        return text

    def _expect(self, text: str) -> None:
        found = self._tokens[self._at][1]  # a string keeps its quotes, so 'if' is not if
        if found != text:
            raise DecodeError(f"'{clean(found, 20)}' stands where '{text or 'the end'}' was expected")
        self._at += 1
