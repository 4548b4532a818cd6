"""Code as the page lists it: a line an element, so that each wraps by itself; keywords and strings told apart."""

from __future__ import annotations

import re
from functools import lru_cache

from markupsafe import Markup, escape

_TOKEN = re.compile(
    r"""(?P<string>"[^"]*"|'[^']*')|\b(?P<word>return|if|elif|else|for|while|in|not|and|or|is|None|True|False|with|raise)\b"""
)


@lru_cache(maxsize=512)
def listing(code: str) -> Markup:
    """Code as markup: each line a span, its keywords in b, its strings in q."""
    return Markup("").join(Markup("<span>{}</span>").format(_tinted(line)) for line in code.splitlines())


def prose(text: str) -> Markup:
    """A sentence as markup: what stands in backquotes is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped before


def _tinted(line: str) -> Markup:
    parts, end = [], 0
    for found in _TOKEN.finditer(line):
        form = "<q>{}</q>" if found["string"] else "<b>{}</b>"
        parts += [escape(line[end : found.start()]), Markup(form).format(found[0])]  # noqa: S704 - a constant form
        end = found.end()
    return Markup("").join([*parts, escape(line[end:])])
