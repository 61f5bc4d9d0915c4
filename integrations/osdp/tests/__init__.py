"""Tests of osdp."""
