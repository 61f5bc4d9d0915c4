"""What the tests of whole hubs share."""

from tests.kit.broker import broker
from tests.kit.hub import hub_of

__all__ = ["broker", "hub_of"]
