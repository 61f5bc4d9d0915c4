"""Tests of dingtalk against a server on loopback that keeps the platform's rules."""
