"""Tests of feishu against a server on loopback that keeps the platform's rules."""
