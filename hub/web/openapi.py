"""The OpenAPI 3.1 document, generated from the route table and the shapes of hub.web.schema."""

from __future__ import annotations

import json
import re
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from hub import __version__
from hub.web import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.web.routing import Route

_PARAMETER = re.compile(r"{(\w+)(?::[^}]*)?}")


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Describe ``routes``."""
    routes = tuple(routes)
    types = [kind for route in routes for kind in (route.returns, route.takes) if kind is not None]
    types += [schema.Problem, schema.Findings, schema.Subscribe, schema.Changed]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Menshen", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "menshen_session"},
            },
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "done"}
    if route.returns is not None:
        media = route.media or "application/json"
        answer = {"description": "well", "content": {media: {"schema": _reference(route.returns)}}}
    elif route.media is not None:
        answer = {"description": "well", "content": {route.media: {"schema": {"type": "string", "format": "binary"}}}}
    problem = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {str(route.status): answer, "default": {"description": "an error", **problem}},
        "parameters": [
            *(
                {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
                for name in _PARAMETER.findall(route.path)
            ),
            *(
                {"name": name, "in": "query", "schema": {"type": "string"}, "description": why}
                for name, why in route.query
            ),
        ],
        "security": [] if route.role is None else [{"token": []}, {"session": []}],
    }
    if route.takes is not None:
        content = {"application/json": {"schema": _reference(route.takes)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _reference(kind: Any) -> dict[str, Any]:
    (reference,), _ = msgspec.json.schema_components([kind], ref_template="#/components/schemas/{name}")
    return dict(reference)


def main() -> None:
    """Print the document, for the generator of the page's types."""
    from hub.web.routes import API

    json.dump(document(API), sys.stdout, indent=2, ensure_ascii=False, sort_keys=True)


if __name__ == "__main__":
    main()
