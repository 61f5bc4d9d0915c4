"""Finds devices that nobody configured: by mDNS, WS-Discovery, Bluetooth, on USB. It asks, it never changes."""
