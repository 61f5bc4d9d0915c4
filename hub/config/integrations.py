"""Finds integrations, reads their manifests without importing them, and gives their configuration its types."""

from __future__ import annotations

import importlib
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.config.yaml import load, plain
from hub.model.document import Finding, Mapping, Mark, Node, Sequence
from hub.model.errors import ConfigError
from hub.model.reader import suggest
from hub.model.text import Text
from hub.sdk import Plugin

if TYPE_CHECKING:
    from hub.config.settings import Settings

#: The path in a msgspec.ValidationError: ``… - at `$.port```.
_PATH = re.compile(r" - at `\$(.*)`\Z")
#: A reference to a secret is checked only when the device is set up.
_SECRET = {"secret"}


class Manifest(msgspec.Struct, frozen=True):
    """What an integration says of itself in ``manifest.yaml``; read without importing its code."""

    domain: str
    name: Text
    version: str
    author: str
    io: str
    kind: str
    config: dict[str, dict[str, Any]] = {}
    quality: list[Any] = []
    extra: str = ""
    """The optional dependency set it needs, for example ``video``."""


def known() -> tuple[str, ...]:
    """Return the domains of the shipped integrations."""
    return tuple(sorted(path.parent.name for path in _folder().glob("*/manifest.yaml")))


def manifest(domain: str) -> Manifest:
    """Read one manifest. Raises ConfigError."""
    document = load(_folder() / domain / "manifest.yaml", f"integrations/{domain}/manifest.yaml")
    try:
        return msgspec.convert(_texts(plain(document)), Manifest)
    except msgspec.ValidationError as error:
        raise ConfigError((_located(document, error),)) from None


def plugin(domain: str) -> Plugin:
    """Import one integration. Raises ConfigError when it cannot be imported."""
    try:
        found = importlib.import_module(f"integrations.{domain}").plugin
    except (ImportError, AttributeError) as error:
        mark = Mark(f"integrations/{domain}/__init__.py", 1, 1)
        raise ConfigError((Finding(mark, f"cannot be imported: {error}"),)) from error
    if not isinstance(found, Plugin):
        raise ConfigError((Finding(Mark(f"integrations/{domain}/__init__.py", 1, 1), "`plugin` is no Plugin"),))
    return found


def check(settings: Settings) -> tuple[Finding, ...]:
    """Check every integration and device that the site names, without touching a device."""
    findings: list[Finding] = []
    entries = [(domain, "integration", node) for domain, node in settings.integrations.items()]
    for domain, devices in settings.devices.items():
        entries.extend((domain, "device", device.node) for device in devices)
    for domain, use, node in entries:
        if domain not in known():
            findings.append(Finding(node.mark, f"no integration `{domain}`{suggest(domain, known())}"))
            continue
        found = plugin(domain)
        part = (found.decoder or found.uplinks) if use == "integration" else found.session
        if part is None:
            other = "`devices`" if use == "integration" else "`integrations`"
            findings.append(Finding(node.mark, f"`{domain}` belongs under {other}"))
            continue
        try:
            convert(node, _without_secrets(plain(node)), part.config)
        except ConfigError as error:
            findings.extend(error.findings)
    return tuple(findings)


def convert(node: Node, values: Any, kind: type[msgspec.Struct]) -> Any:
    """Give configuration its types. Raises ConfigError that points at the wrong value."""
    try:
        return msgspec.convert(_texts(values or {}), kind)
    except msgspec.ValidationError as error:
        raise ConfigError((_located(node, error),)) from None


def resolve(values: Any, secrets: dict[str, str]) -> Any:
    """Put secrets in the place of ``{secret: name}``. Raises KeyError with the name of one that is missing."""
    if isinstance(values, dict):
        if set(values) == _SECRET:
            return secrets[str(values["secret"])]
        return {key: resolve(value, secrets) for key, value in values.items()}
    return [resolve(item, secrets) for item in values] if isinstance(values, list) else values


def _without_secrets(values: Any) -> Any:
    if isinstance(values, dict):
        return "" if set(values) == _SECRET else {key: _without_secrets(value) for key, value in values.items()}
    return values


def _texts(values: Any) -> Any:
    """A name may be written as one sentence or as ``{zh: …, en: …}``."""
    if isinstance(values, dict) and isinstance(values.get("name"), str):
        return {**values, "name": {"zh": values["name"]}}
    return values


def _located(node: Node, error: msgspec.ValidationError) -> Finding:
    """Point at the value that msgspec found wrong."""
    sentence = str(error)
    match = _PATH.search(sentence)
    for step in re.findall(r"\.(\w+)|\[(\d+)\]", match[1]) if match else ():
        if isinstance(node, Mapping):
            node = node.get(step[0]) or node
        elif isinstance(node, Sequence) and step[1]:
            node = node.items[int(step[1])]
    return Finding(node.mark, _PATH.sub("", sentence).replace("Object ", "the entry "))


def _folder() -> Path:
    return Path(str(resources.files("integrations")))
