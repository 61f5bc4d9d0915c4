"""Does the manifest say what the code says? It is read without importing the code, so the two can drift apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub.config.integrations import Manifest
    from hub.sdk import Plugin

#: States of a line of the quality ledger.
STATES = {"done", "todo", "exempt"}
#: Parts of a field's name that hold something nobody else should read.
_SECRETS = ("password", "secret", "token", "bindkey")
_KINDS = ("decoder", "session")


def of_manifest(folder: str, manifest: Manifest) -> Iterator[str]:
    """Check what the manifest says by itself."""
    if manifest.domain != folder:
        yield f"`domain` is {manifest.domain!r}, but the folder is called {folder!r}"
    if not manifest.name.zh or not manifest.name.en:
        yield "`name` needs `zh` and `en`"
    if not set(manifest.kind.split("+")) <= set(_KINDS):
        yield f"`kind` is one of {', '.join(_KINDS)}, not {manifest.kind!r}"
    for name, field in manifest.config.items():
        yield from (f"config.{name} needs `{word}`" for word in ("type", "zh", "en") if not field.get(word))
        if any(part in name for part in _SECRETS) and not field.get("secret"):
            yield f"config.{name} looks like a secret: mark it `secret: true`"


def of_configuration(manifest: Manifest, plugin: Plugin) -> Iterator[str]:
    """Check that the manifest names every field of the configuration with its default."""
    for part in (plugin.decoder, plugin.uplinks, plugin.session):
        if part is None:
            continue
        fields = {field.encode_name: field for field in msgspec.structs.fields(part.config)}
        for name in fields.keys() - manifest.config.keys():
            yield f"the code's `{name}` is missing from `config` in the manifest"
        for name in manifest.config.keys() - fields.keys():
            yield f"`config.{name}` of the manifest is unknown to the code"
        for name, field in fields.items():
            said = manifest.config.get(name)
            if said is not None:
                yield from _of_default(name, field, said)


def _of_default(name: str, field: msgspec.structs.FieldInfo, said: dict[str, Any]) -> Iterator[str]:
    if field.required:
        if not said.get("required"):
            yield f"config.{name} has no default in the code: say `required: true`"
        return
    default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if said.get("default") != msgspec.json.decode(msgspec.json.encode(default)):
        yield f"config.{name} is {default!r} by default in the code, {said.get('default')!r} in the manifest"


def of_ledger(quality: list[Any]) -> Iterator[str]:
    """Check the quality ledger: what is done, what is still to do, what cannot be done and why."""
    if not quality:
        yield "`quality` is empty: list what was done and what was not, each as {rule, state, reason}"
    for line in quality:
        if not isinstance(line, dict) or "rule" not in line or line.get("state") not in STATES:
            yield f"a line of `quality` needs `rule` and a `state` of {', '.join(sorted(STATES))}: {line!r}"
        elif line["state"] == "exempt" and not line.get("reason"):
            yield f"`quality`: {line['rule']} is exempt without a `reason`"
