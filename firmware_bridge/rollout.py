"""A new image for many nodes: one, then a tenth, then the rest; the first revert stops it. Pure: time comes in."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec

from hub.model.time import Instant

#: Nodes that are updated at once; links are slow, and what goes wrong goes wrong for few.
AT_ONCE = 4
#: Attempts on one node whose link fails, before it is left out.
TRIES = 3


class Stand(StrEnum):
    """How far one node of a roll-out is."""

    WAITING = "waiting"
    UPDATING = "updating"
    DONE = "done"
    FAILED = "failed"
    """It runs what it ran before."""
    REVERTED = "reverted"


class Outcome(StrEnum):
    """The end of a roll-out."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    """A node reverted, or a person said so."""
    EXPIRED = "expired"
    """Time is over; some nodes never became ready."""


class NodeStand(msgspec.Struct, frozen=True):
    """One node."""

    stand: Stand = Stand.WAITING
    reason: str = ""
    """Why it waits, failed or reverted."""
    tries: int = 0


class Window(msgspec.Struct, frozen=True):
    """The time of day in which updates may begin, in minutes of the local day; it may pass midnight."""

    begin: int = 0
    end: int = 24 * 60

    def holds(self, minute: int) -> bool:
        """Tell whether ``minute`` of the day is inside."""
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


class Rollout(msgspec.Struct, frozen=True):
    """All nodes that are to get one image."""

    nodes: Mapping[str, NodeStand]
    expires: Instant
    outcome: Outcome = Outcome.RUNNING
    reason: str = ""

    def count(self, *stands: Stand) -> int:
        """Return how many nodes stand so."""
        return sum(node.stand in stands for node in self.nodes.values())

    @property
    def busy(self) -> bool:
        """Tell whether something is still under way, also after a stop."""
        return self.outcome is Outcome.RUNNING or self.count(Stand.UPDATING) > 0


def begin(nodes: tuple[str, ...], expires: Instant) -> Rollout:
    """Return a roll-out that has begun nothing yet."""
    return Rollout({node: NodeStand() for node in nodes}, expires, Outcome.RUNNING if nodes else Outcome.DONE)


def limit(total: int, done: int) -> int:
    """Return how many nodes may be updating or done while ``done`` are: 1, then a tenth more, then all."""
    tenth = 1 + math.ceil(total / 10)
    if done < 1:
        return min(1, total)
    return total if done >= tenth else min(tenth, total)


def step(rollout: Rollout, now: Instant, why_not: Callable[[str], str]) -> tuple[Rollout, tuple[str, ...]]:
    """Return the roll-out and the nodes to begin with now. ``why_not`` says why one must wait, or nothing.

    It is asked only for nodes whose turn it is.
    """
    if rollout.outcome is not Outcome.RUNNING:
        return rollout, ()
    if now >= rollout.expires:
        return msgspec.structs.replace(rollout, outcome=Outcome.EXPIRED, reason="not all nodes became ready"), ()
    updating, done = rollout.count(Stand.UPDATING), rollout.count(Stand.DONE)
    room = min(AT_ONCE - updating, limit(len(rollout.nodes), done) - updating - done)
    nodes = dict(rollout.nodes)
    begun: list[str] = []
    for name, node in rollout.nodes.items():
        if len(begun) >= room:
            break
        if node.stand is not Stand.WAITING:
            continue
        reason = why_not(name)
        if reason:
            nodes[name] = msgspec.structs.replace(node, reason=reason)
        else:
            nodes[name] = NodeStand(Stand.UPDATING, "", node.tries + 1)
            begun.append(name)
    return msgspec.structs.replace(rollout, nodes=nodes), tuple(begun)


def ended(rollout: Rollout, name: str, stand: Stand, reason: str = "") -> Rollout:
    """Take note of how the update of one node ended; a revert stops everything that has not begun."""
    node = rollout.nodes[name]
    if stand is Stand.FAILED and node.tries < TRIES:
        stand = Stand.WAITING
    nodes = {**rollout.nodes, name: NodeStand(stand, reason, node.tries)}
    after = msgspec.structs.replace(rollout, nodes=nodes)
    if rollout.outcome is Outcome.RUNNING:
        if stand is Stand.REVERTED:
            return stop(after, f"{name}: {reason}")
        if not after.count(Stand.WAITING, Stand.UPDATING):
            left = after.count(Stand.FAILED)
            reason = f"{left} of {len(nodes)} nodes could not be reached" if left else ""
            return msgspec.structs.replace(after, outcome=Outcome.DONE, reason=reason)
    return after


def interrupted(rollout: Rollout, reason: str) -> Rollout:
    """End a roll-out that cannot go on after a restart; of the nodes under way it is not known how they stand."""
    nodes = {
        name: NodeStand(Stand.FAILED, reason, node.tries) if node.stand is Stand.UPDATING else node
        for name, node in rollout.nodes.items()
    }
    return stop(msgspec.structs.replace(rollout, nodes=nodes), reason)


def stop(rollout: Rollout, reason: str) -> Rollout:
    """Begin with no further node; those under way go on to their end."""
    return msgspec.structs.replace(rollout, outcome=Outcome.STOPPED, reason=reason)
