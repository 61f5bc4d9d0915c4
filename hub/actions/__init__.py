"""Executors of commands: capture, say, notify. The outbox calls them; they act at most once per key."""
