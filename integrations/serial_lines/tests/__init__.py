"""Tests of serial_lines over pseudo-terminals, with the board in a process of its own."""
