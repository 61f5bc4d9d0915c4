"""Tells an incident as it happened: sensed → decided → said, taken, told → cleared."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from hub.model.decision import (
    Action,
    Cleared,
    Command,
    Escalated,
    IncidentClosed,
    IncidentOpened,
    Notify,
    Opened,
    Rehearsed,
    Say,
    Withheld,
    Witness,
)
from hub.model.entry import Outcome
from hub.model.incident import CommandStatus, Handling, IncidentState
from hub.model.site import Role
from hub.model.text import Text
from hub.model.time import SECOND, isoformat
from hub.web import present, schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hub.journal.queries import EventRow, IncidentRow
    from hub.model.entry import Evidence
    from hub.web.context import Context

_TOLD = Opened | Escalated | Cleared | Withheld | Rehearsed | IncidentOpened | IncidentClosed | Command


def incident(
    context: Context, row: IncidentRow, events: Iterable[EventRow], files: Iterable[Evidence]
) -> schema.IncidentOut:
    """Present an incident whole."""
    folder = context.folder()
    rule = next((rule for rule in folder.rules if rule.id == row.rule), None)
    place = folder.settings.site.zones.get(row.zone)  # type: ignore[call-overload]  # ids are strings
    return schema.IncidentOut(
        id=str(row.id),
        rule=row.rule,
        rule_name=Text(row.rule, row.rule) if rule is None else rule.name,
        zone=row.zone,
        zone_name=Text(row.zone, row.zone) if place is None else place.name,
        state=row.state,  # type: ignore[arg-type]  # stored as the word it was
        severity=row.severity,  # type: ignore[arg-type]
        opened_at=isoformat(row.opened_at),
        closed_at=present.when(row.closed_at),
        close_reason=row.reason,  # type: ignore[arg-type]
        timeline=_Teller(context).tell(events),
        evidence=[present.evidence(record, row.id) for record in files],
        where=[] if place is None else present.areas(folder.settings.site, place),
        answered_at=present.when(row.answered_at),
        handler=row.handler,
        verdict=row.verdict,  # type: ignore[arg-type]
        note=row.note,
        sees=place is not None and bool(place.bound(Role.CAMERA)),
        speaks=place is not None and bool(place.bound(Role.SPEAKER)),
    )


class _Teller:
    """Joins each command with its outcomes; everything else is told as it stands."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._steps: list[schema.Step] = []
        self._commands: dict[str, int] = {}
        self._judged = False
        """Whether a person closed it already: that the rule does so later, too, is no news."""

    def tell(self, events: Iterable[EventRow]) -> list[schema.Step]:
        for event in events:
            if event.kind == "handling":
                self._handled(msgspec.convert(event.body, Handling, strict=False))
            elif event.kind == "outcome":
                self._outcome(msgspec.convert(event.body, Outcome, strict=False))
            else:
                self._decision(msgspec.convert(event.body, _TOLD))
        # when a device spoke is known only with the decision that followed: it belongs before what came in between
        return sorted(self._steps, key=lambda step: step.at)

    def _decision(self, decision: Any) -> None:
        at = isoformat(decision.at)
        match decision:
            case Opened():
                self._opened(decision, at)
            case Escalated():
                self._steps.append(schema.EscalatedStep(at, decision.step, round(decision.late_by / SECOND, 3)))
            case Command():
                self._commands[decision.key] = len(self._steps)
                step = schema.CommandStep(
                    at=at, action=_kind(decision.action), status=CommandStatus.PENDING, by=decision.by
                )
                self._steps.append(msgspec.structs.replace(step, **self._words(decision.action)))
            case Withheld():
                text = decision.action.text if isinstance(decision.action, Say) else None
                self._steps.append(schema.WithheldStep(at, _kind(decision.action), decision.reason, text))
            case IncidentOpened():
                self._judged = False
                self._steps.append(schema.IncidentStep(at, IncidentState.OPEN))
            case IncidentClosed() if not self._judged:
                self._steps.append(schema.IncidentStep(at, IncidentState.CLOSED, decision.reason))
            case Cleared():
                self._sensed(decision.trace)
                self._steps.append(schema.ClearedStep(at, decision.reason))

    def _handled(self, handling: Handling) -> None:
        self._judged = self._judged or handling.state is IncidentState.CLOSED
        at = isoformat(handling.at)
        self._steps.append(schema.HandledStep(at, handling.state, handling.by, handling.verdict, handling.note))

    def _opened(self, decision: Opened, at: str) -> None:
        self._sensed(decision.trace)
        held = (decision.at - decision.since) / SECOND
        trace = [present.witness(self._context, item) for item in decision.trace]
        self._steps.append(schema.OpenedStep(at, round(held, 3), round(decision.late_by / SECOND, 3), trace))

    def _sensed(self, trace: Iterable[Witness]) -> None:
        for item in trace:
            if item.entity is not None and item.since and item.holds:
                name = present.entity_name(self._context, item.entity)
                at = isoformat(item.since)
                self._steps.append(schema.Sensed(at, item.entity, name, item.role, item.value or ""))

    def _outcome(self, outcome: Outcome) -> None:
        index = self._commands.get(outcome.key)
        if index is None:
            return
        step = self._steps[index]
        if not isinstance(step, schema.CommandStep):
            return
        began = step.done_at
        self._steps[index] = msgspec.structs.replace(
            step,
            status=outcome.status,
            done_at=isoformat(outcome.at) if outcome.status.final else began,
            latency_ms=_latency(step.at, outcome) if outcome.status.final else None,
            seconds=outcome.detail.get("seconds"),
            attempts=outcome.attempt,
            failure=outcome.failure,
            reason=outcome.reason,
            repeated=step.repeated or outcome.repeated,
            person=str(outcome.detail.get("person", "")),
            evidence=step.evidence if outcome.evidence is None else outcome.evidence.id,
        )

    def _words(self, action: Action) -> dict[str, Text]:
        if isinstance(action, Say):
            return {"text": action.text}
        if isinstance(action, Notify):
            contact = self._context.folder().settings.site.contacts.get(action.contact)
            return {"contact": Text(action.contact, action.contact) if contact is None else contact.name}
        return {}


def _kind(action: Action) -> Any:
    return str(action.__struct_config__.tag)


def _latency(decided: str, outcome: Outcome) -> float:
    """Return milliseconds from the decision to its effect."""
    began = outcome.detail.get("began_at", outcome.at)
    return round(float(began) / 1_000 - datetime.fromisoformat(decided).timestamp() * 1_000, 1)
