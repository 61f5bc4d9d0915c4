"""Tests of field_magnetometer on generated traces and over real sockets."""
