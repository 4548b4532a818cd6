"""Secrets: made here, given away once, and kept as digests only."""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import compare_digest

from app.links import ALPHABET

CODE_LENGTH = 8


def token() -> str:
    """A secret of 256 bits, for machines to keep."""
    return secrets.token_urlsafe(32)


def letters(length: int) -> str:
    """Random letters that people can read to each other, of five bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def digest(secret: str) -> str:
    """What is kept of a secret. It is random and long, or short-lived, so nothing slow is needed."""
    return sha256(secret.encode()).hexdigest()


def fits(secret: str, kept: str) -> bool:
    """Whether a secret is the one a digest was taken of; an empty digest is of none."""
    return bool(kept) and compare_digest(digest(secret), kept)
