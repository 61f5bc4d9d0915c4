"""Commands of ``menshen`` that are more than a few lines; hub.cli names them, and imports them when they are run."""
