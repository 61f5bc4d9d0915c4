"""HTTP and WebSocket API, tokens and roles, and the built page."""
