"""Tests of the LoRaWAN integration."""
