"""The rule language and its pure engine: no I/O, clock, randomness or logging; time comes in with the input."""
