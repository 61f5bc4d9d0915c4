"""Tests of modbus against pymodbus' own server in another process, by TCP and by RTU over a pseudo-terminal."""
