"""Decisions in few words, to compare and to read in a failure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.model.decision import (
    Action,
    Capture,
    Cleared,
    Command,
    Decision,
    Escalated,
    IncidentClosed,
    IncidentOpened,
    Opened,
    PendingDropped,
    PendingStarted,
    Rehearsed,
    Say,
    Switch,
    Withheld,
)


def action(what: Action) -> str:
    """Say what is done."""
    if isinstance(what, Capture):
        return "capture"
    if isinstance(what, Switch):
        return f"switch {what.role}"
    return f"say {what.text.zh} at {what.volume}" if isinstance(what, Say) else f"notify {what.contact}"


def told(decisions: Iterable[Decision]) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    """Sort decisions by rule and zone, each as ``(kind, time, …)``; activations are counted from 1."""
    lines: dict[tuple[str, str], list[tuple[Any, ...]]] = {}
    numbers: dict[tuple[str, str], int] = {}
    for decision in decisions:
        key = (decision.rule, decision.zone)
        kind = str(decision.__struct_config__.tag)
        more: tuple[Any, ...]
        if isinstance(decision, PendingStarted):
            more = (decision.due,)
        elif isinstance(decision, PendingDropped):
            more = (decision.reason, decision.ran)
        else:
            numbers[key] = numbers.get(key, 0) + isinstance(decision, Opened)
            more = (numbers[key], *_facts(decision))
        lines.setdefault(key, []).append((kind, decision.at, *more))
    return lines


def _facts(decision: Decision) -> tuple[Any, ...]:
    match decision:
        case Opened():
            return decision.since, decision.late_by, decision.dry_run
        case Escalated():
            return decision.step, decision.late_by
        case Cleared() | IncidentClosed():
            return (decision.reason,)
        case IncidentOpened():
            return (decision.severity,)
        case Withheld():
            return decision.reason, action(decision.action)
        case Command() | Rehearsed():
            return decision.step, action(decision.action)
    raise TypeError(decision)


def kinds(decisions: Iterable[Decision]) -> list[str]:
    """Return the kinds alone."""
    return [str(decision.__struct_config__.tag) for decision in decisions]
