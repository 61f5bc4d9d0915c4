"""Tests of the bridge: pure parts against PROTOCOL.md's own bytes, links against real sockets and terminals."""

from hypothesis import settings

#: For the properties here: the same examples at each run, and no word about time.
STEADY = settings(max_examples=300, deadline=None, derandomize=True, database=None)
