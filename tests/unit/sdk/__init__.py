"""Tests of what the SDK offers."""
