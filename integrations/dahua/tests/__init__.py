"""Tests of dahua against a camera on loopback."""
