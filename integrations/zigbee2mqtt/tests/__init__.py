"""Tests of zigbee2mqtt."""
