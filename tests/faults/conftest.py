"""What the tests of whole hubs share."""

from tests.kit.broker import broker
from tests.kit.disk import small_disk
from tests.kit.hub import hub_of

__all__ = ["broker", "hub_of", "small_disk"]
