"""What the tests of whole hubs share."""

from tests.kit.broker import broker
from tests.kit.cgroup import group
from tests.kit.disk import small_disk
from tests.kit.hub import hub_of

__all__ = ["broker", "group", "hub_of", "small_disk"]
