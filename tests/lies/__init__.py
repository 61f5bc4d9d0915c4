"""Every far end lies: which test covers which lie of which integration, and those that all who speak HTTP share."""
