"""Finds devices that nobody configured: by mDNS, ONVIF WS-Discovery, on USB. It asks, it never changes."""
