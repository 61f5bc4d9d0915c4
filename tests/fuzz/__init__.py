"""Decoders of what nodes send, fed with anything: only errors of the declared tree, and no input takes a second.

``python -m tests.fuzz frame --seconds 900`` lets atheris search; what is worth keeping goes to ``corpus/<name>``, which
an ordinary test replays. atheris is in no lock, since it comes only for some machines: put it into an environment of
its own (``python3 -m venv v && v/bin/pip install atheris``) that sees Menshen's libraries by a ``.pth`` file.
"""
