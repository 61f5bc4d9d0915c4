"""Log lines: JSON for programs, coloured text where a person watches; to stderr, or to a file that is rotated."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

#: Bytes of one log file, and how many are kept beside the present one: a busy site writes 10 MB in about a week.
FILE_SIZE, FILES = 10_000_000, 9


def configure(level: str = "INFO", file: Path | None = None) -> None:
    """Set logging up for this process; with ``file`` lines go there. Raises OSError when it cannot be written."""
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    person = file is None and sys.stderr.isatty()
    renderer: structlog.typing.Processor
    if person:  # without the variables of each frame, which rich would show: a password may be among them
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[*shared, *([] if person else [structlog.processors.format_exc_info]), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr) if file is None else _Lines(file).logger,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Library()])


class _Library(logging.Handler):
    """Makes a line like ours of what a library says, traces and all: one line, and into the same file."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # a template that does not fit; whose it is must be seen all the same
            text = str(record.msg)
        log = structlog.get_logger()
        log.log(record.levelno, "library.said", library=record.name, text=text, exc_info=record.exc_info or None)


class _Private(logging.handlers.RotatingFileHandler):
    """Rotates; every file is the hub's alone."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)


class _Lines:
    """What structlog writes its lines to."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handler = _Private(path, maxBytes=FILE_SIZE, backupCount=FILES, encoding="utf-8")

    def logger(self, *_: object) -> _Lines:
        """Return what structlog calls for each line."""
        return self

    def msg(self, line: str) -> None:
        """Write one line."""
        self._handler.emit(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    debug = info = warning = error = critical = exception = log = msg
