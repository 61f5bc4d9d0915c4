"""Tests of file_speaker."""
