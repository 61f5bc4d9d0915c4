"""How many histories are tried: ``HYPOTHESIS_PROFILE=nightly`` tries other ones every night, and many more."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import Phase, settings

from tests.kit.chance import SLOW

settings.register_profile(
    "ordinary", max_examples=300, deadline=None, derandomize=True, database=None, suppress_health_check=SLOW
)
settings.register_profile(
    "nightly", max_examples=10_000, deadline=None, print_blob=True, database=None, suppress_health_check=SLOW
)
settings.register_profile(  # python -m tests.mutations only asks whether anything is found at all
    "mutations", settings.get_profile("ordinary"), phases=(Phase.explicit, Phase.generate)
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ordinary")


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Read the files of this folder, and no others, under its profile: a test has that of the moment it is read."""
    before = settings.get_current_profile_name()
    settings.load_profile(PROFILE)
    try:
        return (yield)
    finally:
        settings.load_profile(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Ten thousand histories take longer than one test may otherwise: at most an hour, in seconds."""
    for item in items if PROFILE == "nightly" else ():
        item.add_marker(pytest.mark.timeout(3_600))
