"""Tests of axis_speaker against a device on loopback that speaks VAPIX, or lies."""
