"""Microcontroller nodes over serial, UDP and BLE: frames, link, registry, update with rollback, reference node."""
