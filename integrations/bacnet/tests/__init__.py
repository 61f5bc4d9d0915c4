"""Tests of bacnet against a device of bacpypes3 in another process, and against one that lies."""
