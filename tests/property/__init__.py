"""Tests of what must hold for every history of a site."""
