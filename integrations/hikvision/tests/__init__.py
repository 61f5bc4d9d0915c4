"""Tests of hikvision against a camera on loopback."""
