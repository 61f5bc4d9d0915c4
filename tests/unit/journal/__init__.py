"""Tests of hub.journal."""
