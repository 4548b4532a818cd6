"""What is sent of our style sheets and scripts: one sheet instead of many, and no comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SHEETS = (
    "tokens.css", "base.css", "layout.css", "controls.css", "rail.css", "panels.css", "scene.css", "build.css",
    "timeline.css", "forks.css", "palette.css", "narration.css", "story.css", "predict.css", "phone.css", "present.css",
    "forced.css", "motion.css",
)  # fmt: skip
"""The sheets that every page has, in order; the first states the order of the layers. The rest add pages.css."""
SITE = "css/site.css"

_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_JS_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
"""A comment that has its lines for itself; one behind code stays, so that no string is ever cut."""


def sheet(text: str) -> str:
    """A style sheet without comments and with one space where there were more."""
    return " ".join(_CSS_COMMENT.sub("", text).split())


def script(text: str) -> str:
    """A script without the comments that stand alone."""
    return _JS_COMMENT.sub("", text)


def site(files: Mapping[str, bytes]) -> bytes:
    """The one sheet of the site, from the files by their path."""
    return "\n".join(_texts(files)).encode()


def _texts(files: Mapping[str, bytes]) -> Iterable[str]:
    return (sheet(files[f"css/{name}"].decode()) for name in SHEETS)


def sent(path: str, data: bytes) -> bytes:
    """A file as it is sent. What is not ours stays as it is."""
    if path.startswith("css/"):
        return sheet(data.decode()).encode()
    return script(data.decode()).encode() if path.startswith("js/") else data
