"""What was tried with a device, what answered, and what a technician should do next."""

from __future__ import annotations

import msgspec

from hub.model.text import Text


class Step(msgspec.Struct, frozen=True):
    """One thing that was tried."""

    tried: Text
    well: bool
    answer: str
    """What came back: a fact, or a reason in a technician's words; cleaned."""
    advice: Text | None = None
    """What to do next; None when all is well."""


class Diagnosis(msgspec.Struct, frozen=True):
    """All that was tried with one integration or device, in order; what follows a failure is not tried."""

    integration: str
    device: str
    steps: tuple[Step, ...]

    @property
    def well(self) -> bool:
        """Whether every step went well."""
        return all(step.well for step in self.steps)
