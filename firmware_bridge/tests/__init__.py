"""Tests of the bridge: pure parts against PROTOCOL.md's own bytes, links against real sockets and terminals."""
