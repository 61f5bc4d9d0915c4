"""What power cuts and crashes must not do."""
