"""The table of all routes: what is not here does not exist, and what needs no role says so."""

from __future__ import annotations

import msgspec
from aiohttp import web

from hub.engine.schema import rule_schema as schema_of_a_rule
from hub.model.diagnosis import Diagnosis
from hub.web import backtest as b
from hub.web import devices as d
from hub.web import firmware
from hub.web import handlers as h
from hub.web import schema as s
from hub.web.account import ACCOUNT
from hub.web.certificate import AUTHORITY, CERTIFICATE
from hub.web.device_tests import DEVICE_TESTS
from hub.web.duty import DUTY
from hub.web.evidence import EVIDENCE
from hub.web.incidents import INCIDENTS
from hub.web.onlook import ONLOOK
from hub.web.openapi import document
from hub.web.places import PLACES
from hub.web.plans import PLANS
from hub.web.report_mail import REPORT_MAILS
from hub.web.reports import REPORTS
from hub.web.routing import Route, UserRole
from hub.web.rules import RULES
from hub.web.search import SEARCH
from hub.web.sight import SIGHT
from hub.web.sightings import SIGHTINGS
from hub.web.talk import TALK
from hub.web.tour import TOUR
from hub.web.upkeep import UPKEEP
from hub.web.users import USERS

_VIEWER, _GUARD, _MANAGER = UserRole.VIEWER, UserRole.GUARD, UserRole.MANAGER


async def openapi(_request: web.Request) -> web.Response:
    """Describe the API."""
    return h.answer(document(API))


async def rule_schema(_request: web.Request) -> web.Response:
    """Give an editor what it needs to complete and check a rule."""
    return web.Response(body=msgspec.json.encode(schema_of_a_rule()), content_type="application/schema+json")


API: tuple[Route, ...] = (
    *ACCOUNT,
    *USERS,
    *PLACES,
    *PLANS,
    *SIGHT,
    *SIGHTINGS,
    *ONLOOK,
    Route("GET", "/api/v1/site", "site", "The community and its hub", _VIEWER, h.site, returns=s.SiteOut),
    Route("PUT", "/api/v1/site/modes/{mode}", "set_mode", "Switch a mode", _GUARD, h.set_mode, returns=s.ModeOut,
          takes=s.ModeIn),
    Route("GET", "/api/v1/zones", "zones", "Zones with their present state", _VIEWER, h.zones,
          returns=s.Page[s.ZoneOut], query=(("id", "of this zone only; may be given several times"),)),
    Route("GET", "/api/v1/zones/{id}", "zone", "One zone", _VIEWER, h.zone, returns=s.ZoneOut),
    Route("PUT", "/api/v1/zones/{id}/bind", "bind", "Bind an entity to a zone, or take it away", _MANAGER, d.bind,
          takes=s.BindIn, status=204),
    Route("GET", "/api/v1/devices", "devices", "Devices with their entities and how they are", _VIEWER, d.devices,
          returns=s.Page[s.DeviceOut]),
    Route("POST", "/api/v1/devices", "add_device", "Write a device into hub.yaml", _MANAGER, d.add_device,
          takes=s.DeviceIn, status=204),
    Route("DELETE", "/api/v1/devices/{domain}/{device}", "remove_device", "Take a device out of hub.yaml", _MANAGER,
          d.remove_device, status=204),
    Route("GET", "/api/v1/devices/{domain}/{device}/examination", "examine", "Try the way to a device", _GUARD,
          d.examine, returns=Diagnosis),
    Route("GET", "/api/v1/forms", "forms", "Integrations whose devices can be named, with their forms", _VIEWER,
          d.forms, returns=s.Page[s.FormOut]),
    Route("GET", "/api/v1/discovered", "discovered", "Found devices that are not in use yet", _VIEWER, d.discovered,
          returns=s.Page[s.DiscoveredOut]),
    Route("PUT", "/api/v1/discovered/{id}/ignored", "ignore", "Hide a found device, or show it again", _MANAGER,
          d.ignore, takes=s.IgnoreIn, status=204),
    Route("GET", "/api/v1/entities", "entities", "Entities with their state", _VIEWER, h.entities,
          returns=s.Page[s.EntityOut]),
    *RULES,
    Route("POST", "/api/v1/rules/backtest", "backtest", "Try a rule on recorded history; one JSON object a line",
          _MANAGER, b.backtest, returns=s.BacktestLine, takes=s.BacktestIn, media="application/x-ndjson"),
    Route("GET", "/api/v1/rules/{id}/why", "why", "Why a rule did or did not fire", _VIEWER, b.why, returns=s.WhyOut,
          query=(("zone", "a zone id"), ("at", "RFC 3339 with an offset; now where it is left out"))),
    Route("GET", "/api/v1/activations", "activations", "The newest activations", _VIEWER, h.activations,
          returns=s.Page[s.ActivationOut]),
    Route("GET", "/api/v1/incidents", "incidents", "Incidents, newest first", _VIEWER, h.incidents,
          returns=s.Page[s.IncidentOut],
          query=(("state", "open (not closed) or closed"), ("limit", "1 to 200"), ("cursor", "`next` of a page"),
                 ("brief", "1: without timelines"))),
    Route("GET", "/api/v1/incidents/{id}", "incident", "One incident", _VIEWER, h.incident, returns=s.IncidentOut),
    Route("GET", "/api/v1/evidence", "evidence_list", "The newest evidence", _VIEWER, h.evidence_list,
          returns=s.Page[s.EvidenceOut]),
    Route("GET", "/api/v1/evidence/{id}", "evidence", "One file", _VIEWER, h.evidence,
          media="application/octet-stream"),
    Route("GET", "/api/v1/integrations", "integrations", "Integrations and how they are", _VIEWER, h.integrations,
          returns=s.Page[s.IntegrationOut]),
    *firmware.ROUTES,
    Route("GET", "/api/v1/history", "history", "The newest 1,000 readings of an entity", _VIEWER, h.history,
          returns=s.Page[s.HistoryPoint], query=(("entity", "an entity id"),)),
    *INCIDENTS,
    *TALK,
    *DUTY,
    *REPORTS,
    *REPORT_MAILS,
    *EVIDENCE,
    *CERTIFICATE,
    *UPKEEP,
    *DEVICE_TESTS,
    *SEARCH,
    *TOUR,
)  # fmt: skip

#: Routes that are no JSON resources. /metrics holds counts only.
OTHER: tuple[Route, ...] = (
    Route("GET", "/api/v1/ws", "live", "Changes as they happen (WebSocket)", _VIEWER, h.live),
    Route("GET", "/api/openapi.json", "openapi", "This document", None, openapi),
    Route("GET", "/api/v1/schema/rule", "rule_schema", "JSON Schema of a rule", _VIEWER, rule_schema),
    Route(
        "GET",
        "/api/v1/schema/devices",
        "device_schema",
        "JSON Schema of the devices in hub.yaml",
        _VIEWER,
        d.schema_of_devices,
    ),
    AUTHORITY,
    Route("GET", "/healthz", "healthz", "The process is up", None, h.healthz),
    Route("GET", "/readyz", "readyz", "Rules are loaded, the journal is writable", None, h.readyz),
    Route("GET", "/metrics", "metrics", "Figures for Prometheus", None, h.metrics),
    # devices and their platforms push here: whether one may is decided by its integration (a signature, a secret path)
    Route("GET", "/hooks/{domain}/{device}", "pushed_get", "A device pushes", None, h.pushed),
    Route("POST", "/hooks/{domain}/{device}", "pushed", "A device pushes", None, h.pushed, guarded=False),
)
