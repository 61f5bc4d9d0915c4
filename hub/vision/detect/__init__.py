"""Detectors: from a picture to boxes with names. One narrow interface, and OpenVINO behind it."""
