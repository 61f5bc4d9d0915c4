"""Tests of generic_camera against servers on loopback."""
