"""Tests of http_speaker against a server on loopback."""
