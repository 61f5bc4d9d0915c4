"""Menshen (门神): the hub that guards residential communities. ARCHITECTURE.md has the map."""

__version__ = "0.1.0"
