"""Tests of community nodes: a node in Python speaks the protocol by UDP and on a pseudo-terminal."""
