"""What an operator may set: each field by the variable PAGEFATE_ and its name, `PAGEFATE_PORT=9000`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import sqlalchemy as sa
from limits import parse
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine import Limits

KIB = 1024


def default_data() -> Path:
    """The folder of this user where the platform keeps such data; it need not exist yet."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "pagefate"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pagefate"
    given = os.environ.get("XDG_DATA_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "share"
    return base / "pagefate"


class Settings(BaseSettings):
    """All settings, with defaults that need no configuration.

    Raises:
        pydantic.ValidationError: when a variable has a value that does not fit its field.
    """

    model_config = SettingsConfigDict(env_prefix="PAGEFATE_", frozen=True, extra="ignore")

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    data: Path = Field(default_factory=default_data, description="folder of what people hand in")
    database: str = Field(default="", description="a PostgreSQL in place of the folder: postgresql+psycopg://…")
    base_url: str = Field(default="", description="how the world reaches this site, as https://example.org")
    max_body: int = Field(default=256 * KIB, ge=KIB, description="bytes a request may carry")
    max_steps: int = Field(default=20_000, ge=1, le=1_000_000, description="steps a run may take")
    max_work: int = Field(default=500_000, ge=1, le=25_000_000, description="work a run may take, in cells touched")
    max_stored: int = Field(default=1024 * KIB * KIB, ge=64 * KIB, description="bytes of short links that are kept")
    rate: str = Field(default="1200/minute", description="requests to the API from one address; empty is no limit")
    log: Literal["text", "json"] = Field(default="text", description="the log in sentences, or in JSON, a line each")
    metrics: bool = Field(default=True, description="whether /metrics answers Prometheus")
    keep_days: int = Field(default=0, ge=0, description="days a short link is kept that nobody opens; 0: for ever")
    room_hours: float = Field(default=12, gt=0, le=720, description="hours a live room waits for its driver")
    max_rooms: int = Field(default=1_000, ge=0, description="live rooms at a time; 0 allows none")
    max_followers: int = Field(default=10_000, ge=1, description="browsers that may follow one room by one process")
    cached_runs: int = Field(default=1_000, ge=1, description="runs kept in memory")

    @field_validator("rate")
    @classmethod
    def _is_rate(cls, rate: str) -> str:
        """Refuse what is no rate when the server starts, not at the first request."""
        if rate:
            parse(rate)
        return rate

    @field_validator("database")
    @classmethod
    def _is_postgresql(cls, said: str) -> str:
        """Take the address of a PostgreSQL, with the driver that is tested, or nothing."""
        try:
            url = sa.make_url(said) if said else None
        except sa.exc.ArgumentError:
            url = sa.URL.create("?")
        if url is not None and url.drivername not in ("postgresql", "postgresql+psycopg"):
            raise ValueError("write postgresql+psycopg://USER:PASSWORD@HOST/DATABASE, or nothing for a file")
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False) if url else ""

    def limits(self) -> dict[str, float]:
        """What a request and a run may need, as every problem tells it."""
        return {"body_bytes": self.max_body, "run_steps": self.max_steps, "run_work": self.max_work}

    def engine_limits(self) -> Limits:
        """The limits of one run."""
        return Limits(steps=self.max_steps, work=self.max_work)
