"""A broker for what is recorded."""

from tests.kit.broker import broker

__all__ = ["broker"]
