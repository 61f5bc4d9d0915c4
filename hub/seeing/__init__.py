"""Cameras that see, joined to the hub: who watches what, and what they see as readings of the zones."""
