"""Tests of email against an SMTP server on loopback."""
