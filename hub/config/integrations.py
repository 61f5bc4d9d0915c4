"""Finds integrations, reads their manifests without importing them, and gives their configuration its types."""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

import integrations as packages
from hub.config.yaml import load, plain
from hub.model.document import Finding, Mapping, Mark, Node, Sequence
from hub.model.errors import ConfigError
from hub.model.reader import suggest
from hub.model.text import Text, clean
from hub.sdk import Plugin

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from hub.config.settings import Settings

#: The entry-point group of installed packages: ``NAME = "package"``, whose folder holds the manifest.
GROUP = "menshen.integrations"
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
    discovery: list[dict[str, Any]] = []
    """What its devices look like when they are found (hub.discovery.matchers)."""
    isolation: Literal["none", "process"] = "none"
    """Whether its sessions, or its decoder, run in a process of their own."""


def include(folder: Path) -> None:
    """Find integrations in ``folder``, too: each is one folder with a manifest. Shipped ones come first."""
    if folder.is_dir() and str(folder) not in packages.__path__:
        packages.__path__.append(str(folder))
        importlib.invalidate_caches()


def known() -> tuple[str, ...]:
    """Return the domains that can be found: shipped, in the site's folder, and installed as packages."""
    return tuple(sorted(folders()))


def manifest(domain: str) -> Manifest:
    """Read one manifest. Raises ConfigError."""
    folder = folders().get(domain)
    if folder is None:
        raise ConfigError((Finding(Mark("hub.yaml", 1, 1), f"no integration `{domain}`{suggest(domain, known())}"),))
    document = load(folder / "manifest.yaml", f"integrations/{domain}/manifest.yaml")
    try:
        return msgspec.convert(_texts(plain(document)), Manifest)
    except msgspec.ValidationError as error:
        raise ConfigError((_located(document, error),)) from None


def plugin(domain: str) -> Plugin:
    """Import one integration. Raises ConfigError when it cannot be imported."""
    try:
        package = _installed().get(domain)
        name = f"integrations.{domain}" if package is None else package.name
        found = importlib.import_module(name).plugin
    except Exception as error:  # a plugin may raise anything at import; it becomes a finding with its reason
        mark = Mark(f"integrations/{domain}/__init__.py", 1, 1)
        sentence = f"cannot be imported: {type(error).__name__}: {error}"
        raise ConfigError((Finding(mark, clean(sentence, 200)),)) from error
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
        if manifest(domain).isolation == "process":
            findings.extend(_by_manifest(node, manifest(domain)))
            continue
        try:
            found = plugin(domain)
        except ConfigError:
            continue  # its devices are shown as failed, with the reason; all others work
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


def _by_manifest(node: Node, found: Manifest) -> list[Finding]:
    """Check an entry without importing the code that has a process of its own."""
    fields = node.items if isinstance(node, Mapping) else ()
    names = [key.text for key, _ in fields]
    findings = [
        Finding(key.mark, f"`{found.domain}` has no `{key.text}`{suggest(key.text, found.config)}")
        for key, _ in fields
        if key.text not in found.config
    ]
    missing = [name for name, field in found.config.items() if field.get("required") and name not in names]
    return [*findings, *(Finding(node.mark, f"the entry needs `{name}`") for name in missing)]


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


def folders() -> dict[str, Path]:
    """Return where each integration lives, by domain; the first place wins."""
    found = {domain: Path(package.origin).parent for domain, package in _installed().items() if package.origin}
    for place in reversed(packages.__path__):
        found |= {path.parent.name: path.parent for path in Path(place).glob("*/manifest.yaml")}
    return found


@cache
def _installed() -> dict[str, ModuleSpec]:
    """Return installed packages that offer an integration, by the name of their entry point; none is imported."""
    found = {}
    for point in entry_points(group=GROUP):
        spec = importlib.util.find_spec(point.module.partition(".")[0])
        if spec is not None:
            found[point.name] = spec
    return found
