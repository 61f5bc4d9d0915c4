"""Tests of mqtt_discovery."""
