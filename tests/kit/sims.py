"""The simulated far ends, each a process (integrations.sim), with what a test asks of them."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tests.kit.http import get_json, request
from tests.kit.program import Program


def free_udp_port() -> int:
    """Return a loopback UDP port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Speaker(Program):
    """A loudspeaker that takes RTP and ``POST /play``."""

    def __init__(self, folder: Path, rtp: int = 0) -> None:
        self.ledger = folder / "speaker.jsonl"
        arguments = ("--data", str(folder / "speaker"), "--ledger", str(self.ledger), "--rtp", f"127.0.0.1:{rtp}")
        super().__init__("integrations.sim.speaker", *arguments)

    def heard(self) -> list[dict[str, Any]]:
        """Return the utterances, oldest first."""
        said: list[dict[str, Any]] = get_json(self.url("/utterances"))
        return sorted(said, key=lambda one: float(one["started_at"]))

    def begun(self) -> list[dict[str, Any]]:
        """Return every utterance that ever began, as the fsynced ledger has it."""
        if not self.ledger.exists():
            return []
        return [json.loads(line) for line in self.ledger.read_text().splitlines()]


class Webhook(Program):
    """A guard's phone. ``fail`` answers the first so many messages with 503."""

    def __init__(self, port: int = 0, fail: int = 0) -> None:
        super().__init__("integrations.sim.webhook", "--http", f"127.0.0.1:{port}", "--fail", str(fail))

    def got(self) -> list[dict[str, Any]]:
        """Return the messages, oldest first."""
        messages: list[dict[str, Any]] = get_json(self.url("/messages"))
        return messages[::-1]


class Camera(Program):
    """A camera over a fire lane."""

    def __init__(self, port: int = 0) -> None:
        super().__init__("integrations.sim.camera", "--http", f"127.0.0.1:{port}")

    def scene(self, *, vehicle: bool) -> None:
        """Put a vehicle into the picture, or take it out."""
        assert request("PUT", self.url("/scene"), {"vehicle": vehicle})[0] == 200
