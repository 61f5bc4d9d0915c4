"""Turns texts and recordings into clips (``speech.Speech``).

All sound is made in a child process (``espeak_worker``): the engine is GPL and never enters the hub's process, and the
resampling would hold up its loop. This file imports nothing, so that the child starts in a few hundredths of a second.
"""
