"""Tests of local_speaker against a program that keeps what it reads, and against aplay where it is installed."""
