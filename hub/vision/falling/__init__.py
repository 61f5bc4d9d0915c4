"""Falling objects: frames of a facade in, one event for each fall out; numpy only, no weights."""
