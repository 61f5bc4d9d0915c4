"""The kit for authors of integrations: a skeleton that works, recorded traffic, and the conformance check."""
