"""What a site enters for one gateway."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec

from hub.sdk import Text, Unsupported

DOMAIN = "sms_gateway"

#: E.164: at most 15 digits. Short numbers of the in-house exchange have three or more.
Phone = Annotated[str, msgspec.Meta(pattern=r"\A\+?[0-9]{3,15}\Z")]
#: A field name of RFC 9110, 5.1, and a value without control characters (5.5); empty as long as a secret is not read.
HeaderName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}\Z")]
HeaderValue = Annotated[str, msgspec.Meta(pattern=r"\A([!-~]([ -~]{0,2046}[!-~])?)?\Z")]
#: The names that are filled in.
PLACE = re.compile(r"\{(phone|text|key)\}")
_LENGTHS = {"content-length", "transfer-encoding"}
#: Deepest nesting of JSON fields.
_DEPTH = 8


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request for each phone number, and how a good answer is known."""

    name: Text
    url: str
    """Address of the gateway; its own query stays."""
    phones: Annotated[tuple[Phone, ...], msgspec.Meta(min_length=1, max_length=20)]
    """Who is told, in international or national form as the gateway wants it; quoted in YAML."""
    fields: dict[str, Any]
    """Names and values of the request; ``{phone}``, ``{text}`` and ``{key}`` in values are filled in."""
    method: Literal["POST", "PUT", "GET"] = "POST"
    """With GET the fields go into the query."""
    body: Literal["form", "json"] = "json"
    """How POST and PUT write the fields."""
    headers: dict[HeaderName, HeaderValue] = {}
    """More headers, for example ``Authorization``."""
    user: str = ""
    password: str = ""
    """HTTP Basic or Digest, where the gateway asks for it."""
    success_field: str = ""
    """Where the JSON answer says how it went, ``data.code`` for a nested one; empty when a 2xx status is enough."""
    success_value: str = ""
    """What it says then; the number 0 and the text "0" are the same here."""
    retry_values: tuple[str, ...] = ()
    """What it says when it should be asked again later, for example because of too many messages."""
    max_text: Annotated[int, msgspec.Meta(ge=10, le=1000)] = 200
    """Longest text in characters: one message holds 70 Chinese characters, longer ones are charged in parts of 67."""
    timeout_s: Annotated[float, msgspec.Meta(ge=1, le=30)] = 10.0
    """Seconds for a request and its answer."""


def check_template(config: Config) -> None:
    """Refuse (Unsupported) a template that can tell nobody or cannot be written down."""
    texts = texts_in(config.fields)
    for place in ("{phone}", "{text}"):
        if not any(place in text for text in texts):
            raise Unsupported(f"no field has {place} in it, so the gateway would not know it")
    if PLACE.search(config.url):
        raise Unsupported("phone and text belong in `fields`, not in the address")
    if not _LENGTHS.isdisjoint(name.lower() for name in config.headers):
        raise Unsupported("the length of the body is not a header that a site may set")
    try:
        msgspec.json.encode(config.fields)
    except UnicodeEncodeError:
        raise Unsupported("a field holds half a character") from None
    as_json = config.method != "GET" and config.body == "json"
    if not as_json and not all(type(value) in {str, int} for value in config.fields.values()):
        raise Unsupported("a form and a query have plain fields only; nested ones need `body: json`")
    if bool(config.success_field) != bool(config.success_value):
        raise Unsupported("`success_field` and `success_value` belong together")


def texts_in(value: Any, depth: int = _DEPTH) -> list[str]:
    """Return all texts in ``value`` that may be filled in; names are not among them."""
    if depth < 0:
        raise Unsupported("the fields are nested too deeply")
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item, depth - 1)]
    if isinstance(value, list):
        return [text for item in value for text in texts_in(item, depth - 1)]
    return [value] if isinstance(value, str) else []
