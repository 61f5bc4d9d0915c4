"""Deliberate faults in the engine, and the tests that must notice them."""
