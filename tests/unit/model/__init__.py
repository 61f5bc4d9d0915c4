"""Tests of hub.model."""
