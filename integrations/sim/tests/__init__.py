"""The simulated devices, each driven over its own protocol by somebody else's client where there is one."""
