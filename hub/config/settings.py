"""hub.yaml as types: the site, and how its hub listens, connects and speaks."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from hub.config.calendar import Days
from hub.config.evidence import EvidenceSettings, read_evidence
from hub.config.plans import Plan, read_plans
from hub.config.reports import ReportSettings, read_reports
from hub.config.sights import bound_to, heard_by, one_or_several, read_sights
from hub.config.tour import TourSettings, check_turning, read_stops, read_tour
from hub.config.yaml import plain
from hub.model.document import Mapping, Node, Scalar
from hub.model.ids import ENTITY, AreaId, EntityId, SiteId, ZoneId
from hub.model.reader import Reader, suggest
from hub.model.site import Area, Contact, Prompt, Role, Site, Zone, ZoneKind
from hub.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


Item = TypeVar("Item")
#: Degrees; further from the equator there are days without sunrise.
MAX_LATITUDE = 65

_PORT = re.compile(r"[0-9]{1,5}\Z")
MAX_PORT = 65_535


class Listen(msgspec.Struct, frozen=True):
    """An address to listen on; port 0 takes any free one."""

    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(self.host).is_loopback


class Web(msgspec.Struct, frozen=True):
    """Where the page is served, and whether by HTTPS with the hub's certificate (``menshen tls init``)."""

    listen: Listen = Listen("127.0.0.1", 8420)
    tls: bool = False


class Mqtt(msgspec.Struct, frozen=True):
    """``url`` names an external broker; without it the hub runs one of its own on ``listen``."""

    url: str | None = None
    user: str | None = None
    password: Any = None
    listen: Listen = Listen("127.0.0.1", 1883)
    accounts: bool = False
    """Whether only accounts of ``menshen broker add`` may log in; without, it listens on this machine only."""
    tls: bool = False


class Link(msgspec.Struct, frozen=True):
    """Another page that belongs to the site, shown in the head of ours."""

    name: Text
    url: str


class DeviceEntry(msgspec.Struct, frozen=True):
    """One configured device of a session integration, still as plain values; its plugin gives them types."""

    name: str
    values: dict[str, Any]
    node: Node


class Discovery(msgspec.Struct, frozen=True):
    """Where the hub looks for devices that nobody configured."""

    interfaces: tuple[str, ...] = ()
    """IPv4 addresses of this machine on whose networks it asks by mDNS and WS-Discovery; none: it asks nowhere."""
    usb: bool = True
    bluetooth: bool = False
    """Whether it listens to what advertises itself by Bluetooth; needs an adapter and the extra ``ble``."""


class Settings(msgspec.Struct, frozen=True):
    """Everything hub.yaml says."""

    site: Site
    web: Web
    mqtt: Mqtt
    links: tuple[Link, ...]
    days: Days
    integrations: dict[str, Node]
    devices: dict[str, tuple[DeviceEntry, ...]]
    discovery: Discovery = Discovery()
    evidence: EvidenceSettings = EvidenceSettings()
    plans: dict[str, Plan] = {}
    reports: ReportSettings = ReportSettings()
    tour: TourSettings = TourSettings()


def read_settings(document: Node, reader: Reader) -> Settings | None:
    """Read hub.yaml; None when it had findings."""
    before = len(reader.findings)
    root = reader.mapping(
        document,
        "hub.yaml",
        required=("site", "zones"),
        optional=(
            "mqtt",
            "web",
            "areas",
            "plans",
            "integrations",
            "devices",
            "discovery",
            "contacts",
            "prompts",
            "evidence",
            "reports",
            "tour",
        ),
    )
    if root is None:
        return None
    settings = _SettingsReader(reader).read(root)
    return settings if len(reader.findings) == before else None


class _SettingsReader:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def read(self, root: Mapping) -> Settings | None:
        site = self._reader.mapping(
            root.get("site"), "`site`", required=("id", "name"), optional=("timezone", "links", "calendar")
        )
        if site is None:
            return None
        areas = self._named(root.get("areas"), "`areas`", self._area)
        self._check_parents(root.get("areas"), areas)
        zones = self._named(root.get("zones"), "`zones`", lambda name, node: self._zone(name, node, areas))
        self._check_supplies(root.get("zones"), zones)
        check_turning(self._reader, root.get("zones"), zones)
        contacts = self._named(root.get("contacts"), "`contacts`", self._contact)
        return Settings(
            site=Site(
                id=SiteId(self._reader.text(site.get("id"), "`id`", 64) or ""),
                name=self._reader.words(site.get("name"), "`name`", 60) or Text(""),
                timezone=self._timezone(site.get("timezone")),
                areas={AreaId(key): area for key, area in areas.items()},
                zones={ZoneId(key): zone for key, zone in zones.items()},
                contacts=contacts,
                prompts=self._named(root.get("prompts"), "`prompts`", self._prompt),
            ),
            web=self._web(root.get("web")),
            mqtt=self._mqtt(root.get("mqtt")),
            links=tuple(self._link(item) for item in self._reader.sequence(site.get("links"), "`links`")),
            days=self._days(site.get("calendar")),
            integrations=dict(self._entries(root.get("integrations"), "`integrations`")),
            devices={
                domain: tuple(self._device(name, value) for name, value in self._entries(node, f"`{domain}`"))
                for domain, node in self._entries(root.get("devices"), "`devices`")
            },
            discovery=self._discovery(root.get("discovery")),
            evidence=read_evidence(self._reader, root.get("evidence")),
            plans=read_plans(self._reader, root.get("plans"), zones),
            reports=read_reports(self._reader, root.get("reports"), contacts),
            tour=read_tour(self._reader, root.get("tour")),
        )

    def _named(self, node: Node | None, what: str, read: Callable[[str, Node], Item | None]) -> dict[str, Item]:
        pairs = ((name, read(name, value)) for name, _, value in self._reader.entries(node, what))
        return {name: item for name, item in pairs if item is not None}

    def _days(self, node: Node | None) -> Days:
        fields = self._reader.mapping(node, "`calendar`", optional=("latitude", "longitude", "rest_days", "workdays"))
        if fields is None:
            return Days()
        latitude = self._reader.number(fields.get("latitude"), "`latitude`")
        longitude = self._reader.number(fields.get("longitude"), "`longitude`")
        if (latitude is None) is not (longitude is None):
            self._reader.report(fields, "`latitude` and `longitude` belong together")
        # beyond the polar circles there are days without sunrise, which no rule could name
        place = None if latitude is None or longitude is None else (latitude, longitude)
        if place is not None and not (abs(place[0]) <= MAX_LATITUDE and abs(place[1]) <= 180):
            self._reader.report(fields, f"`latitude` must lie within ±{MAX_LATITUDE}, `longitude` within ±180")
            place = None
        rest_days, workdays = self._dates(fields.get("rest_days")), self._dates(fields.get("workdays"))
        for day in sorted(rest_days & workdays):
            self._reader.report(fields, f"{day} is both a rest day and a workday")
        return Days(place=place, rest_days=rest_days, workdays=workdays)

    def _dates(self, node: Node | None) -> frozenset[date]:
        found = set()
        for item in self._reader.sequence(node, "a list of days"):
            text = self._reader.text(item, "a day", 10)
            try:
                found.add(date.fromisoformat(text or ""))
            except ValueError:
                if text is not None:
                    self._reader.report(item, f"`{text}` is no day; write it like 2026-10-01")
        return frozenset(found)

    def _entries(self, node: Node | None, what: str) -> Iterator[tuple[str, Node]]:
        return ((name, value) for name, _, value in self._reader.entries(node, what))

    def _area(self, name: str, node: Node) -> Area | None:
        fields = self._reader.mapping(node, "an area", required=("name",), optional=("parent",))
        if fields is None:
            return None
        parent = self._reader.text(fields.get("parent"), "`parent`", 64)
        words = self._reader.words(fields.get("name"), "`name`", 60)
        return Area(id=AreaId(name), name=words or Text(name), parent=None if parent is None else AreaId(parent))

    def _check_parents(self, node: Node | None, areas: dict[str, Area]) -> None:
        if not isinstance(node, Mapping):
            return
        for key, value in node.items:
            seen, area = {key.text}, areas.get(key.text)
            while area is not None and area.parent is not None:
                if area.parent not in areas or area.parent in seen:
                    why = "stands inside itself" if area.parent in seen else f"has no parent `{area.parent}`"
                    self._reader.report(value, f"area `{key.text}` {why}{suggest(area.parent, areas)}")
                    break
                seen.add(area.parent)
                area = areas.get(area.parent)

    def _zone(self, name: str, node: Node, areas: Iterable[str]) -> Zone | None:
        fields = self._reader.mapping(
            node, "a zone", required=("kind", "name", "bind"), optional=("area", "supplied_by", "see", "tour")
        )
        if fields is None:
            return None
        kind = self._reader.word(fields.get("kind"), "zone kind", ZoneKind)
        area = self._reader.text(fields.get("area"), "`area`", 64)
        if area is not None and area not in set(areas):
            self._reader.report(fields.get("area") or node, f"no area `{area}`{suggest(area, areas)}")
        words = self._reader.words(fields.get("name"), "`name`", 60)
        bind = self._bindings(fields.get("bind"))
        if kind is None or words is None:
            return None
        see = read_sights(self._reader, fields.get("see"), name)
        supplies = [self._reader.text(item, "a supply", 64) for item in one_or_several(fields.get("supplied_by"))]
        return Zone(
            id=ZoneId(name),
            kind=kind,
            name=words,
            area=None if area is None else AreaId(area),
            bind=heard_by(bound_to(bind, see), kind, ZoneId(name)),
            see=see,
            tour=read_stops(self._reader, fields.get("tour")),
            supplied_by=tuple(ZoneId(supply) for supply in supplies if supply is not None),
        )

    def _check_supplies(self, node: Node | None, zones: dict[str, Zone]) -> None:
        supplies = [name for name, zone in zones.items() if zone.kind is ZoneKind.SUPPLY]
        for key, value in node.items if isinstance(node, Mapping) else ():
            for item in one_or_several(value.get("supplied_by") if isinstance(value, Mapping) else None):
                if isinstance(item, Scalar) and item.text not in supplies:
                    sentence = f"`{item.text}` is no zone of kind `supply`{suggest(item.text, supplies)}"
                    self._reader.report(item, sentence)
                elif isinstance(item, Scalar) and item.text == key.text:
                    self._reader.report(item, "a supply does not hang on itself")

    def _bindings(self, node: Node | None) -> dict[Role, tuple[EntityId, ...]]:
        fields = self._reader.mapping(node, "`bind`", optional=tuple(Role))
        bindings: dict[Role, tuple[EntityId, ...]] = {}
        for key, value in fields.items if fields is not None else ():
            if key.text not in set(Role):
                continue
            entities: list[EntityId] = []
            for item in one_or_several(value):
                text = self._reader.text(item, "an entity", 161)
                if text is not None and not ENTITY.match(text):
                    self._reader.report(item, f"`{text}` is no entity: write `integration.object`, lower case")
                elif text is not None:
                    entities.append(EntityId(text))
            bindings[Role(key.text)] = tuple(entities)
        return bindings

    def _contact(self, name: str, node: Node) -> Contact | None:
        fields = self._reader.mapping(node, "a contact", required=("name",), optional=("webhook", "notifier"))
        if fields is None:
            return None
        words = self._reader.words(fields.get("name"), "`name`", 60)
        by_web, by_entity = fields.get("webhook"), fields.get("notifier")
        if (by_web is None) is (by_entity is None):
            self._reader.report(node, "a contact has a `webhook`, or a `notifier` like `wecom.duty`: one of the two")
            return None
        webhook = None if by_web is None else self._url(by_web, "`webhook`", {"http", "https"})
        notifier = self._reader.text(by_entity, "`notifier`", 128)
        if notifier is not None and not ENTITY.match(notifier):
            self._reader.report(by_entity or node, f"`{notifier}` is no entity, like `wecom.duty`")
        if words is None or (webhook is None and notifier is None):
            return None
        return Contact(id=name, name=words, webhook=webhook, notifier=None if notifier is None else EntityId(notifier))

    def _prompt(self, name: str, node: Node) -> Prompt | None:
        fields = self._reader.mapping(node, "a prompt", required=("text",), optional=("audio", "urgent"))
        words = self._reader.words(fields.get("text"), "`text`", 160) if fields else None
        if fields is None or words is None:
            return None
        audio = self._reader.text(fields.get("audio"), "`audio`", 200)
        if audio is not None and (audio.startswith("/") or ".." in audio.split("/") or not audio.endswith(".wav")):
            self._reader.report(fields.get("audio") or node, "`audio` must be a .wav file inside the site folder")
        urgent = self._reader.boolean(fields.get("urgent"), "`urgent`")
        return Prompt(id=name, text=words, audio=audio, urgent=urgent or False)

    def _device(self, name: str, node: Node) -> DeviceEntry:
        fields = self._reader.mapping(node, f"device `{name}`")
        return DeviceEntry(name=name, values=plain(fields) if fields is not None else {}, node=node)

    def _link(self, node: Node) -> Link:
        fields = self._reader.mapping(node, "a link", required=("name", "url"), optional=())
        if fields is None:
            return Link(Text(""), "")
        words = self._reader.words(fields.get("name"), "`name`", 30)
        return Link(words or Text(""), self._url(fields.get("url"), "`url`", {"http", "https"}) or "")

    def _web(self, node: Node | None) -> Web:
        fields = self._reader.mapping(node, "`web`", required=("listen",), optional=("tls",))
        if fields is None:
            return Web()
        tls = self._reader.boolean(fields.get("tls"), "`tls`") or False
        return Web(self._listen(fields.get("listen"), Web().listen), tls)

    def _mqtt(self, node: Node | None) -> Mqtt:
        names = ("url", "user", "password", "listen", "accounts", "tls")
        fields = self._reader.mapping(node, "`mqtt`", optional=names)
        if fields is None:
            return Mqtt()
        listen = self._listen(fields.get("listen"), Mqtt().listen)
        accounts = self._reader.boolean(fields.get("accounts"), "`accounts`") or False
        tls = self._reader.boolean(fields.get("tls"), "`tls`") or False
        if not listen.loopback and not accounts:
            place = fields.get("listen") or fields
            self._reader.report(
                place,
                "without accounts the hub's own broker listens on this machine only: write 127.0.0.1, or "
                "`accounts: true` and give every device one with `menshen broker add`",
            )
        for name in ("accounts", "tls"):
            if fields.get("url") is not None and (given := fields.get(name)) is not None:
                self._reader.report(given, f"`{name}` is for the hub's own broker, and `url` names another one")
        password = fields.get("password")
        return Mqtt(
            url=self._url(fields.get("url"), "`url`", {"mqtt", "mqtts"}),
            user=self._reader.text(fields.get("user"), "`user`"),
            password=None if password is None else plain(password),
            listen=listen,
            accounts=accounts,
            tls=tls,
        )

    def _discovery(self, node: Node | None) -> Discovery:
        fields = self._reader.mapping(node, "`discovery`", optional=("interfaces", "usb", "bluetooth"))
        if fields is None:
            return Discovery()
        interfaces = []
        for item in self._reader.sequence(fields.get("interfaces"), "`interfaces`"):
            text = self._reader.text(item, "an interface", 40) or ""
            try:
                interfaces.append(str(IPv4Address(text)))
            except ValueError:
                sentence = f"`{text}` is no IPv4 address of this machine, like `192.168.1.10`"
                self._reader.report(item, sentence)
        usb = self._reader.boolean(fields.get("usb"), "`usb`")
        bluetooth = self._reader.boolean(fields.get("bluetooth"), "`bluetooth`")
        return Discovery(tuple(interfaces), usb is not False, bluetooth is True)

    def _listen(self, place: Node | None, default: Listen) -> Listen:
        text = self._reader.text(place, "`listen`", 80)
        host, _, port = (text or "").rpartition(":")
        try:
            ip_address(host)
            good = _PORT.match(port) is not None and int(port) <= MAX_PORT
        except ValueError:
            good = False
        if not good and place is not None:
            self._reader.report(place, "`listen` must be an address and a port, like `127.0.0.1:8420`")
        return Listen(host, int(port)) if good else default

    def _url(self, node: Node | None, what: str, schemes: set[str]) -> str | None:
        text = self._reader.text(node, what, 500)
        if text is None or node is None:
            return None
        try:
            parts = urlsplit(text)
            good = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good:
            self._reader.report(node, f"{what} must begin with {' or '.join(f'{s}://' for s in sorted(schemes))}")
            return None
        if parts.password:
            self._reader.report(node, f"{what} holds a password: put it into secrets.yaml and refer to it")
            return None
        return text

    def _timezone(self, node: Node | None) -> str:
        name = self._reader.text(node, "`timezone`", 64) or "Asia/Shanghai"
        try:
            zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            if node is not None:
                self._reader.report(node, f"`{name}` is no time zone; write one like `Asia/Shanghai`")
            return "Asia/Shanghai"
        return name
