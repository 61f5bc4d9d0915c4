"""MQTT: a supervised broker, a link that acknowledges after commit, and the way of a message to its decoder."""
