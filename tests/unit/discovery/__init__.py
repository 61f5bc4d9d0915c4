"""Tests of how devices are found."""
