"""Tests of hub.web."""
