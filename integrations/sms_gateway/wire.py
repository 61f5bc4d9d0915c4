"""The request that a template makes, and what its answer means. Pure functions."""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from hub.sdk import DecodeError, Notice, Request, Unreachable, Unsupported, clean, json_object
from integrations.sms_gateway.config import PLACE, Config, texts_in

#: A result code, short enough to be no secret.
_NUMBER = re.compile(r"-?[0-9]{1,7}\Z")
#: Bytes of the answer that are read.
_MAX_ANSWER = 64 * 1024


def request(config: Config, notice: Notice, phone: str) -> Request:
    """Return the request that tells ``phone``. The key is the same whenever this notice goes to this phone."""
    key = blake2b(f"{notice.key} {phone}".encode(), digest_size=16).hexdigest()
    values = {"phone": phone, "text": notice.line(config.max_text), "key": key}
    fields = filled(config.fields, values)
    url, data, media_type = config.url, None, ""
    if config.method == "GET":
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query, keep_blank_values=True), *fields.items()]
        url = parts._replace(query=urlencode(query), fragment="").geturl()
    elif config.body == "form":
        data, media_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    else:
        data, media_type = msgspec.json.encode(fields), "application/json"
    ours = {"Idempotency-Key": key} | ({"Content-Type": media_type} if data is not None else {})
    named = {name.lower() for name in config.headers}
    headers = {name: value for name, value in ours.items() if name.lower() not in named} | config.headers
    return Request(
        url=url,
        method=config.method,
        data=data,
        headers=headers,
        user=config.user,
        password=config.password,
        timeout=config.timeout_s,
        limit=_MAX_ANSWER,
    )


def filled(template: Any, values: dict[str, str]) -> Any:
    """Return ``template`` with the places in its texts filled in once: what is filled in is not looked at again."""
    if isinstance(template, dict):
        return {name: filled(item, values) for name, item in template.items()}
    if isinstance(template, list):
        return [filled(item, values) for item in template]
    return PLACE.sub(lambda match: values[match[1]], template) if isinstance(template, str) else template


def check(config: Config, answer: bytes) -> None:
    """Read the answer of a 2xx. Raises DeviceError unless it says that the message was taken.

    What the gateway said is repeated only when the site has named it or it is a short number: it could hold a secret.
    """
    if not config.success_field:
        return
    said = _text(_find(answer, config.success_field))
    if said == config.success_value:
        return
    if said is not None and said in config.retry_values:
        raise Unreachable(f"the gateway takes no message for now (`{clean(said)}`)")
    if said is None:
        raise Unsupported(f"the gateway's answer has no `{clean(config.success_field)}`")
    number = f", but the number {said}" if _NUMBER.match(said) and said not in _secrets(config) else ""
    where, wanted = clean(config.success_field), clean(config.success_value)
    raise Unsupported(f"the gateway did not say `{wanted}` in `{where}`{number}")


def _secrets(config: Config) -> set[str]:
    return {config.password, *config.headers.values(), *config.phones, *texts_in(config.fields)}


def _find(answer: bytes, path: str) -> Any:
    """Return what is at ``path``, names parted by dots; None when it is not there."""
    try:
        found: Any = json_object(answer)
    except DecodeError:
        return None
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _text(value: Any) -> str | None:
    """Write a JSON text, whole number or switch as text; None for anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int) else None
