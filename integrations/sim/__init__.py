"""Simulated devices that speak the real protocols, each a process of its own: far ends for tests and the demo.

Nothing here imports the hub; what the two sides share is only what goes over the wire.
"""
