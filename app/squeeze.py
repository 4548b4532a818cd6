"""What is sent of our style sheets and scripts: one sheet instead of many, and no comments."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

SHEETS = (
    "tokens.css", "base.css", "layout.css", "controls.css", "rail.css", "panels.css", "scene.css",
    "timeline.css", "forks.css", "palette.css", "narration.css", "story.css", "predict.css", "phone.css", "present.css",
    "forced.css", "motion.css",
)  # fmt: skip
"""The sheets that every page has, in order; the first states the order of the layers. The rest add pages.css."""
SITE = "css/site.css"

CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_MARK = re.compile(r"""(?P<string>"[^"]*"|'[^']*')|;? *(?P<mark>[{};,]) *""")
"""What needs no space around it, outside of strings; the last of some declarations needs no semicolon either."""
_JS_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.DOTALL | re.MULTILINE)
"""A comment that has its lines for itself; one behind code stays, so that no string is ever cut."""


def sheet(text: str) -> str:
    """A style sheet without comments, with one space where there were more, and none where it says nothing."""
    plain = " ".join(CSS_COMMENT.sub("", text).split())
    return _CSS_MARK.sub(lambda match: match["string"] or match["mark"], plain)


def script(text: str) -> str:
    """A script without the comments that stand alone, empty lines and indentation; none of ours has a text of lines."""
    return "\n".join(line.strip() for line in _JS_COMMENT.sub("", text).splitlines() if line.strip()) + "\n"


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
