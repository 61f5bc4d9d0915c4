"""Tests of the whole; an integration keeps its own beside its code."""
