"""Tests of hub.actions."""
