"""One folder per vendor or protocol; each imports only ``hub.sdk``."""
