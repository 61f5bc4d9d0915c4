"""Edits hub.yaml and secrets.yaml for the page: comments and order stay, and nothing that does not check is written."""

from __future__ import annotations

import io
import json
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hub.config import integrations
from hub.config.picture import MEDIA, look_at
from hub.config.plans import PLANS, Point
from hub.config.site import SECRETS, SiteFolder, load_secrets, load_site
from hub.config.yaml import load
from hub.durable import write_whole
from hub.model.document import Finding, Mark
from hub.model.errors import ConfigError
from hub.model.ids import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hub.model.site import Role, Sees

#: Name under which an edit that was refused is told.
DRAFT = "hub.yaml"


class SiteEditor:
    """One site folder. Its methods block and may be called from any thread; two edits never mix."""

    def __init__(self, config: Path, changed: Callable[[SiteFolder], None] = lambda folder: None) -> None:
        self._config = config
        self._changed = changed
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """The site folder."""
        return self._config.parent

    def add_device(self, domain: str, name: str, values: dict[str, Any]) -> None:
        """Name a device. Raises ConfigError; then nothing was written."""
        if not NAME.match(name):
            raise refused(f"`{name}` is no name: use a-z, 0-9 and _, beginning with a letter")
        secrets = {
            f"{domain}_{name}_{field}": str(values[field])
            for field, said in integrations.manifest(domain).config.items()
            if said.get("secret") and values.get(field)
        }
        entry = {field: self._entry(domain, name, field, value, secrets) for field, value in values.items()}

        def change(document: Any) -> None:
            devices = document.setdefault("devices", {}).setdefault(domain, {})
            if name in devices:
                raise refused(f"a device `{name}` of {domain} is there already")
            devices[name] = entry

        with self._lock:
            before = self._keep_secrets(secrets)
            try:
                self._edit(change)
            except BaseException:  # whatever stopped the edit, no secret is left of a device that is not there
                self._restore_secrets(before)
                raise

    def remove_device(self, domain: str, name: str) -> None:
        """Name a device no more. Raises ConfigError when it is not there or a zone needs it."""

        def change(document: Any) -> None:
            try:
                del document["devices"][domain][name]
            except KeyError:
                raise refused(f"no device `{name}` of {domain}") from None

        with self._lock:
            self._edit(change)

    def bind(self, zone: str, role: Role, entity: str, *, bound: bool = True) -> None:
        """Bind ``entity`` to a zone as ``role``, or take it away. Raises ConfigError."""

        def change(document: Any) -> None:
            try:
                roles = document["zones"][zone].setdefault("bind", {})
            except KeyError:
                raise refused(f"no zone `{zone}`") from None
            there = roles.get(role.value, [])
            listed = list(there) if isinstance(there, list) else [there]
            wanted = [name for name in listed if name != entity] + ([entity] if bound else [])
            if not wanted:
                roles.pop(role.value, None)
            elif wanted != listed:
                roles[role.value] = wanted[0] if len(wanted) == 1 else wanted

        with self._lock:
            self._edit(change)

    def name_site(self, shown: dict[str, str]) -> None:
        """Say what the community is called. Raises ConfigError."""

        def change(document: Any) -> None:
            document["site"]["name"] = shown

        with self._lock:
            self._edit(change)

    def put_area(self, name: str, shown: dict[str, str], parent: str | None) -> None:
        """Write an area, or change it. Raises ConfigError."""
        self._put("areas", name, {"name": shown, **({"parent": parent} if parent else {})}, ("parent",))

    def put_zone(self, name: str, values: dict[str, Any]) -> None:
        """Write a zone, or change it; its bindings stay. Raises ConfigError."""
        self._put("zones", name, values, ("area", "supplied_by"), {"bind": {}})

    def add_zones(self, zones: dict[str, dict[str, Any]]) -> None:
        """Write zones with what is bound to them; one that is there stays as it is. Raises ConfigError."""

        def change(document: Any) -> None:
            there = document.setdefault("zones", {})
            for name, values in zones.items():
                there.setdefault(name, values)

        with self._lock:
            self._edit(change)

    def join(self, more: Iterable[dict[str, Any]]) -> None:
        """Write entries of any section, one by one; what is there already stays as it is. Raises ConfigError."""

        def change(document: Any) -> None:
            for part in more:
                _fill(document, part)

        with self._lock:
            self._edit(change)

    def see(self, zone: str, camera: str, sees: Sees, values: dict[str, Any] | None) -> None:
        """Write what a camera looks for in a zone (``polygon``, ``floors``, ``decode``); None: it does no more.

        A ``decode`` that is not given stays as it is. Raises ConfigError.
        """

        def change(document: Any) -> None:
            try:
                entry = document["zones"][zone]
            except KeyError:
                raise refused(f"no zone `{zone}`") from None
            there = entry.get("see", [])
            listed = there if isinstance(there, list) else [there]
            place = next((n for n, one in enumerate(listed) if (one["camera"], one["as"]) == (camera, sees)), None)
            if values is None and place is None:
                raise refused(f"`{camera}` does not watch `{zone}` as `{sees}`")
            if values is not None:
                sight = {"camera": camera, "as": sees.value} if place is None else listed[place]
                for key in ("polygon", "floors"):
                    sight.pop(key, None) if key not in values else sight.update({key: _flowing(values[key])})
                if "decode" in values:
                    sight["decode"] = values["decode"]
                if place is None:
                    listed.append(sight)
            elif place is not None:
                del listed[place]
            if not listed:
                entry.pop("see")
            elif listed is not there or "see" not in entry:
                entry["see"] = listed[0] if len(listed) == 1 else listed

        with self._lock:
            self._edit(change)

    def stop(self, zone: str, camera: str, preset: str, *, named: bool) -> None:
        """Write a stop of the facade tour of a zone, or take it out. Raises ConfigError."""
        from ruamel.yaml.scalarstring import DoubleQuotedScalarString

        def change(document: Any) -> None:
            try:
                entry = document["zones"][zone]
            except KeyError:
                raise refused(f"no zone `{zone}`") from None
            there = entry.get("tour", [])
            listed = there if isinstance(there, list) else [there]
            place = next(
                (n for n, one in enumerate(listed) if (one["camera"], one.get("preset", "")) == (camera, preset)), None
            )
            if named is (place is not None):
                raise refused(f"this stop is {'there already' if named else 'not there'}")
            if place is not None:
                del listed[place]
            else:
                quoted = {"preset": DoubleQuotedScalarString(preset)} if preset else {}
                listed.append({"camera": camera, **quoted})
            if not listed:
                entry.pop("tour")
            elif listed is not there or "tour" not in entry:
                entry["tour"] = listed[0] if len(listed) == 1 else listed

        with self._lock:
            self._edit(change)

    def remove(self, section: Literal["areas", "zones"], name: str) -> None:
        """Take an area or a zone away. Raises ConfigError when it is not there or something needs it."""

        def change(document: Any) -> None:
            try:
                del document[section][name]
            except KeyError:
                raise refused(f"nothing is called `{name}` among `{section}`") from None
            for plan in document.get("plans", {}).values() if section == "zones" else ():
                _take_out(plan, "zones", name)  # what is gone is nowhere

        with self._lock:
            self._edit(change)

    def put_picture(self, plan: str, data: bytes, shown: dict[str, str] | None) -> None:
        """Keep the picture of a plan, whose zones and devices stay. Raises ConfigError, ValueError for no picture.

        ``shown`` is its name, which a new plan needs.
        """
        if not NAME.match(plan):
            raise refused(f"`{plan}` is no name: use a-z, 0-9 and _, beginning with a letter")
        picture = self.folder / PLANS / f"{plan}.{look_at(data).ending}"

        def change(document: Any) -> None:
            entry = document.setdefault("plans", {}).setdefault(plan, {})
            if shown is not None:
                entry["name"] = shown
            entry["image"] = f"{PLANS}/{picture.name}"

        with self._lock:
            picture.parent.mkdir(exist_ok=True)
            fresh = not picture.exists()
            if fresh:
                write_whole(picture, data, 0o644)  # before it is named: hub.yaml never names what is not there
            try:
                self._edit(change)
            except BaseException:  # whatever stopped the edit, no picture is left that nothing names
                if fresh:
                    picture.unlink()
                raise
            if not fresh:
                write_whole(picture, data, 0o644)
            self._forget_pictures(plan, but=picture)

    def remove_plan(self, plan: str) -> None:
        """Take a plan and its picture away. Raises ConfigError when it is not there."""

        def change(document: Any) -> None:
            try:
                del document["plans"][plan]
            except KeyError:
                raise refused(f"no plan `{plan}`") from None

        with self._lock:
            self._edit(change)
            self._forget_pictures(plan)

    def draw(self, plan: str, zone: str, corners: tuple[Point, ...] | None) -> None:
        """Draw a zone on a plan as a polygon, or take it away. Raises ConfigError."""
        self._place(plan, "zones", zone, None if corners is None else [list(corner) for corner in corners])

    def place(self, plan: str, entity: str, spot: Point | None) -> None:
        """Place an entity on a plan, or take it away. Raises ConfigError."""
        self._place(plan, "devices", entity, None if spot is None else list(spot))

    def _place(self, plan: str, section: Literal["zones", "devices"], name: str, value: list[Any] | None) -> None:
        def change(document: Any) -> None:
            try:
                entry = document["plans"][plan]
            except KeyError:
                raise refused(f"no plan `{plan}`") from None
            if value is None:
                _take_out(entry, section, name)
                return
            entry.setdefault(section, {})[name] = _flowing(value)

        with self._lock:
            self._edit(change)

    def _forget_pictures(self, plan: str, but: Path | None = None) -> None:
        for ending in MEDIA:
            old = self.folder / PLANS / f"{plan}.{ending}"
            if old != but:
                old.unlink(missing_ok=True)

    def _put(
        self,
        section: str,
        name: str,
        values: dict[str, Any],
        optional: tuple[str, ...],
        first: dict[str, Any] | None = None,
    ) -> None:
        """Set keys of an entry, which begins with ``first``; an optional one that is not given is taken out."""
        if not NAME.match(name):
            raise refused(f"`{name}` is no name: use a-z, 0-9 and _, beginning with a letter")

        def change(document: Any) -> None:
            entries = document.setdefault(section, {})
            entry = entries.setdefault(name, dict(values) | (first or {}))
            for key in optional:
                if key not in values:
                    entry.pop(key, None)
            for key, value in values.items():
                if entry.get(key) != value:
                    entry[key] = value

        with self._lock:
            self._edit(change)

    def _edit(self, change: Callable[[Any], None]) -> None:
        from ruamel.yaml import YAML  # 0.1 s, and only who edits needs it

        editor = YAML()
        editor.preserve_quotes = True
        editor.width = 4096
        editor.indent(mapping=2, sequence=4, offset=2)
        load(self._config, self._config.name)  # strict YAML first: it tells of what the editor would accept
        document = editor.load(self._config.read_text("utf-8-sig"))
        change(document)
        text = io.StringIO()
        editor.dump(document, text)
        folder = load_site(self._config, text.getvalue())
        write_whole(self._config, text.getvalue().encode(), self._config.stat().st_mode & 0o777)
        self._changed(folder)

    @staticmethod
    def _entry(domain: str, name: str, field: str, value: Any, secrets: dict[str, str]) -> Any:
        secret = f"{domain}_{name}_{field}"
        return {"secret": secret} if secret in secrets else value

    def _keep_secrets(self, new: dict[str, str]) -> str | None:
        """Add to secrets.yaml; return what it was before."""
        path = self._config.parent / SECRETS
        before = path.read_text("utf-8") if path.exists() else None
        if new:
            load_secrets(self._config.parent)  # it must be readable, and by nobody else
            lines = "".join(f"{name}: {_quoted(value)}\n" for name, value in new.items())
            start = before or ""
            write_whole(path, (start + ("" if start.endswith("\n") or not start else "\n") + lines).encode())
        return before

    def _restore_secrets(self, before: str | None) -> None:
        path = self._config.parent / SECRETS
        if before is None:
            with suppress(FileNotFoundError):
                path.unlink()
        elif path.read_text("utf-8") != before:
            write_whole(path, before.encode())


def refused(sentence: str) -> ConfigError:
    """Return the error of an edit that cannot be."""
    return ConfigError((Finding(Mark(DRAFT, 1, 1), sentence),))


def _fill(there: Any, more: dict[str, Any]) -> None:
    """Put into a mapping what it has not; in a mapping of both, likewise."""
    for key, value in more.items():
        if key not in there:
            there[key] = value
        elif isinstance(value, dict) and isinstance(there[key], dict):
            _fill(there[key], value)


def _flowing(value: list[Any]) -> Any:
    """Return a list that is written on one line, as a person would write [x, y]."""
    from ruamel.yaml.comments import CommentedSeq

    line = CommentedSeq(value)
    line.fa.set_flow_style()
    return line


def _take_out(plan: Any, section: str, name: str) -> None:
    """Take a zone or a device out of a plan, and the section when it was the last."""
    there = plan.get(section, {})
    there.pop(name, None)
    if not there:
        plan.pop(section, None)


def _quoted(value: str) -> str:
    """Write a YAML double-quoted scalar; JSON is a part of YAML 1.2."""
    return json.dumps(value, ensure_ascii=False)
