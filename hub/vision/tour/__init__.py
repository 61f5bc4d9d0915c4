"""Facade tours: a picture of today laid on the last accepted one, and what is new or gone for a person to tick."""
