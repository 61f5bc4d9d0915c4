"""JSON Schema of ``devices``, ``integrations`` and ``see`` of a zone in hub.yaml, for editors and forms."""

from __future__ import annotations

from typing import Any

from hub.config import integrations
from hub.config.sights import CORNERS, FLOORS, POINTS
from hub.model.ids import ENTITY, NAME
from hub.model.site import Decode, Sees

Schema = dict[str, Any]

_NAME: Schema = {
    "oneOf": [
        {"type": "string"},
        {"type": "object", "properties": {"zh": {"type": "string"}, "en": {"type": "string"}}, "required": ["zh"]},
    ]
}
_TYPES: dict[str, Schema] = {
    "name": _NAME,
    "text": {"type": "string"},
    "number": {"type": "number"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "list": {"type": "array"},
    "map": {"type": "object"},
}
#: A value that stands in secrets.yaml.
_REFERENCE: Schema = {
    "type": "object",
    "properties": {"secret": {"type": "string"}},
    "required": ["secret"],
    "additionalProperties": False,
}
#: One camera that sees, by what it looks for; the same bounds as hub.config.sights reads by.
_PART: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_CORNER: Schema = {"type": "array", "prefixItems": [_PART, _PART], "items": False, "minItems": 2}
_FLOOR: Schema = {"type": "integer", "minimum": FLOORS[0], "maximum": FLOORS[1]}
_POINT: Schema = {"type": "array", "prefixItems": [_PART, _PART, _FLOOR], "items": False, "minItems": 3}


def _sees(sees: Sees, required: tuple[str, ...] = (), **more: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {"camera": {"type": "string", "pattern": ENTITY.pattern}, "as": {"const": sees.value}, **more},
        "required": ["camera", "as", *required],
        "additionalProperties": False,
    }


_OUTLINE: Schema = {"type": "array", "items": _CORNER, "minItems": CORNERS[0], "maxItems": CORNERS[1]}
_DECODE: Schema = {"enum": [how.value for how in Decode]}
_SIGHT: Schema = {
    "oneOf": [
        _sees(Sees.LANE, ("polygon",), polygon=_OUTLINE, decode=_DECODE),
        _sees(Sees.LIFT, ("polygon",), polygon=_OUTLINE, decode=_DECODE),
        _sees(
            Sees.FALLING,
            decode={"const": Decode.FULL.value},
            floors={"type": "array", "items": _POINT, "minItems": POINTS[0], "maxItems": POINTS[1]},
        ),
        _sees(Sees.HEALTH, decode=_DECODE),
    ]
}
_SEE: Schema = {"see": {"oneOf": [_SIGHT, {"type": "array", "items": _SIGHT}]}}


def device_schema() -> Schema:
    """Return the schema of every integration that can be found."""
    found = {domain: integrations.manifest(domain) for domain in integrations.known()}
    sessions = {
        domain: _named(entry(manifest.config)) for domain, manifest in found.items() if "session" in manifest.kind
    }
    decoders = {domain: entry(manifest.config) for domain, manifest in found.items() if "decoder" in manifest.kind}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "devices": _closed(sessions),
            "integrations": _closed(decoders),
            "zones": {"type": "object", "patternProperties": {NAME.pattern: {"type": "object", "properties": _SEE}}},
        },
    }


def entry(config: dict[str, dict[str, Any]]) -> Schema:
    """Return the schema of one entry: the fields of a manifest."""
    return {
        "type": ["object", "null"] if not any(field.get("required") for field in config.values()) else "object",
        "properties": {name: _field(field) for name, field in config.items()},
        "required": [name for name, field in config.items() if field.get("required")],
        "additionalProperties": False,
    }


def _field(said: dict[str, Any]) -> Schema:
    kind = {"enum": said["choices"]} if said.get("type") == "choice" else _TYPES.get(str(said.get("type")), {})
    schema: Schema = {"oneOf": [kind, _REFERENCE]} if said.get("secret") else dict(kind)
    schema["description"] = f"{said.get('zh', '')} / {said.get('en', '')}"
    return schema | ({"default": said["default"]} if "default" in said else {})


def _named(one: Schema) -> Schema:
    """Return the schema of any number of entries, each under a name."""
    return {"type": "object", "patternProperties": {NAME.pattern: one}, "additionalProperties": False}


def _closed(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "additionalProperties": False}
