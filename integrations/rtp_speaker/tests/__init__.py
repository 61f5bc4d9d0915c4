"""Tests of rtp_speaker against receivers on loopback."""
