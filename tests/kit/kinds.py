"""Tables of payload kinds in the documentation, each row with messages that are decoded and compared with its word."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from hub.kit.captures import Player
from hub.sdk import Message


class Outcome(Enum):
    """What became of one message."""

    TAKEN = "taken"
    """An entity that is known now, a value, or how far one can be trusted."""
    REFUSED = "refused"
    NOTHING = "nothing"
    LESS = "less"
    """Something, but less than who sent it means."""


@dataclass(frozen=True)
class Step:
    """A message and what it becomes: samples as captures write them, ids of entities, or the beginning of a refusal.

    One that is ``before`` only leads there, and is not compared with the word of its row. One that is the ``same``
    becomes what the step before it became, although it says more.
    """

    topic: str
    payload: str
    samples: tuple[tuple[str, Any, str], ...] = ()
    entities: tuple[str, ...] = ()
    refused: str = ""
    before: bool = False
    same: bool = False
    less: bool = False


#: By the first cell of the row. A scene is played by a player of its own.
Scene = tuple[Step, ...]
#: The words whose every step must be so; ``partly`` wants both what is taken and what is not.
WORDS = {
    "yes": {Outcome.TAKEN},
    "refused": {Outcome.REFUSED},
    "ignored": {Outcome.NOTHING},
    "left out": {Outcome.NOTHING},
    "no": {Outcome.NOTHING},
}


def rows(file: Path, heading: str) -> dict[str, str]:
    """Return the rows of the tables below a heading: first cell and the word that the second begins with."""
    text = file.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) < 2 or set(line) <= set("|- ") or cells[0] in {"what", "template"}:
            continue
        found[cells[0]] = re.split(r"[,;:]", cells[1])[0]
    return found


def played(plugin: Any, config: Any, scene: Scene) -> set[Outcome]:
    """Play a scene and compare each step; return what became of those that count."""
    player = Player(plugin, config)
    outcomes = set()
    for step in scene:
        found = player.play(Message(step.topic, step.payload.encode(), retained=not step.samples))
        outcome = _compared(step, found)
        if not step.before:
            outcomes.add(outcome)
    return outcomes


def _compared(step: Step, found: dict[str, Any]) -> Outcome:
    announced = found.get("announce", {})
    refused = [*announced.get("refused", ()), *found.get("errors", ())]
    entities = [entity["id"].partition(".")[2] for device in announced.get("devices", {}).values() for entity in device]
    samples = [(name.partition(".")[2], value, quality) for name, value, quality in found.get("samples", ())]
    where = f"{step.topic} {step.payload[:120]}"
    assert sorted(entities) == sorted(step.entities), where
    assert samples == list(step.samples), where
    assert len(refused) == bool(step.refused), f"{where}: {refused}"
    assert all(step.refused in sentence for sentence in refused), f"{where}: {refused}"
    if step.refused:
        return Outcome.REFUSED
    if step.same:
        return Outcome.NOTHING
    if step.less:
        return Outcome.LESS
    return Outcome.TAKEN if entities or samples else Outcome.NOTHING


def check(word: str, outcomes: set[Outcome]) -> None:
    """Compare what became of a row's messages with its word."""
    if word == "partly":
        assert Outcome.TAKEN in outcomes, outcomes
        assert outcomes - {Outcome.TAKEN}, outcomes
    else:
        assert outcomes == WORDS[word], (word, outcomes)


def js(**fields: Any) -> str:
    """Write a JSON object."""
    return json.dumps(fields, ensure_ascii=False)
