"""The log: sentences for people, or JSON a line for machines (PAGEFATE_LOG=json)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec


class Lines(logging.Formatter):
    """Each record as one line of JSON: time, level, logger, message, and what a request is known by."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "said", {}),
        }
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(said).decode()


def config(form: str) -> dict[str, Any]:
    """The settings of Python's logging for a server whose log has this form, "text" or "json"."""
    kind = {"()": "app.logs.Lines"} if form == "json" else {"format": "%(asctime)s %(levelname)s %(message)s"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": kind},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {name: {"handlers": ["stderr"], "level": "INFO", "propagate": False} for name in LOGGERS},
    }


LOGGERS = ("pagefate", "uvicorn")
