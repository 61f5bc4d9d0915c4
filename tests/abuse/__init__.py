"""Hostile input at the hub's doors."""
