"""Figures, printed and never asserted: ``python -m tests.bench [NAME] [--json]``."""
