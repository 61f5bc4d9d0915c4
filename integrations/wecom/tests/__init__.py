"""Tests of wecom against a server on loopback that keeps the platform's rules."""
