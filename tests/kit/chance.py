"""How hypothesis draws: the same examples in every run, as many as the file asks for, however slow the machine is.

A plugin of pytest; the ``conftest.py`` beside ``pyproject.toml`` loads it for all tests. Without it the examples would
be other ones each time, and a busy machine would fail a test for its time.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

#: What a slow machine is no fault of.
SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile("steady", deadline=None, derandomize=True, database=None, suppress_health_check=SLOW)
settings.load_profile("steady")
