"""Tests of bthome."""
