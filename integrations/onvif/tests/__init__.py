"""Tests of onvif against a camera that speaks SOAP and WS-Discovery on loopback."""
