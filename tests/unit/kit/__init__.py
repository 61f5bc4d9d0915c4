"""Tests of the kit for authors."""
