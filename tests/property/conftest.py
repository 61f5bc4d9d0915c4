"""How many histories are tried: ``HYPOTHESIS_PROFILE=nightly`` tries other ones every night, and many more."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "ordinary", max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "nightly", max_examples=10_000, deadline=None, print_blob=True, database=None, suppress_health_check=_SLOW
)
settings.register_profile(  # python -m tests.mutations only asks whether anything is found at all
    "mutations", settings.get_profile("ordinary"), phases=(Phase.explicit, Phase.generate)
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ordinary")
settings.load_profile(PROFILE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ten thousand histories take longer than one test may otherwise: at most an hour, in seconds."""
    for item in items if PROFILE == "nightly" else ():
        item.add_marker(pytest.mark.timeout(3_600))
