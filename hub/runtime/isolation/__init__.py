"""A plugin's device in a process of its own: the same API, spoken over a socket pair."""
