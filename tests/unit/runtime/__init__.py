"""Tests of hub.runtime."""
