"""Tests of sms_gateway against gateways on loopback."""
