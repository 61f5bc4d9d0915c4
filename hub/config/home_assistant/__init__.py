"""Turns automations of Home Assistant into rules, and says plainly what it could not: docs/import.md."""
