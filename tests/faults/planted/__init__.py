"""Planted bugs: each takes one defence away, and the harness must notice (F26)."""
