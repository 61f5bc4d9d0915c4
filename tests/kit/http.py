"""Short requests to programs on the loopback; no proxy and no name is ever asked."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit


def request(
    method: str, url: str, body: Any = None, *, token: str | None = None, within: float = 10
) -> tuple[int, bytes]:
    """Send one request, its ``body`` as JSON or as the bytes that it is; return status and body. Raises OSError."""
    parts = urlsplit(url)
    headers = {"X-Menshen": "1", "Connection": "close"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    data = None
    if isinstance(body, bytes):
        data, headers["Content-Type"] = body, "application/octet-stream"
    elif body is not None:
        data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=within)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body=data, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def get_json(url: str, *, token: str | None = None) -> Any:
    """Return the JSON of a GET that must succeed."""
    status, body = request("GET", url, token=token)
    assert status == 200, f"{url}: {status} {body[:300]!r}"
    return json.loads(body)


def put_image(hub: str, token: str, data: bytes) -> str:
    """Give a firmware image to the hub at ``hub``; return its digest."""
    status, answer = request("PUT", f"{hub}api/v1/firmware/image", data, token=token)
    assert status == 200, answer
    return str(json.loads(answer)["digest"])
