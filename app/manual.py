"""The documentation: one Markdown text of each page, read in the repository as it is and on the site as a page.

A link to another page, to a scenario's file, or to http://127.0.0.1:8000 (where `make run` serves the site) leads to
the same thing on the site. What only the repository has is named there, and not linked.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from app import assets, links, links_edit

RUNNING = "http://127.0.0.1:8000"
"""Where `make run` serves the site: how a text names a place on it."""
SECTIONS: dict[str, tuple[str, ...]] = {
    "Begin": ("tour",),
    "Write": ("language",),
    "Teach": (
        "teaching", "lessons/first-lecture", "lessons/the-race", "lessons/filesystems", "lessons/who-is-told",
    ),
    "Share": ("sharing", "scripts"),
    "Look up": ("kernels", "real-tests"),
    "Run it": ("deployment",),
}  # fmt: skip
"""The pages by what they are for. The decisions, in docs/adr, come behind them by their numbers."""
WIDE = '<div class="wide" tabindex="0" role="group" aria-label="Table">'
LISTING = Markup('<pre tabindex="0" role="group" aria-label="Listing"><code>{}</code></pre>\n')


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a page, and the name of its place there."""

    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Doc:
    """A page: its name ("lessons/the-race"), its title, its headings, its content."""

    name: str
    title: str
    headings: tuple[Heading, ...]
    html: Markup


@cache
def sections() -> dict[str, tuple[str, ...]]:
    """The names of all pages, by section."""
    decisions = sorted(path.stem for path in (assets.docs_dir() / "adr").glob("*.md"))
    return {**SECTIONS, "Decisions": tuple(f"adr/{name}" for name in decisions)}


@cache
def names() -> tuple[str, ...]:
    """The names of all pages, in their order."""
    return tuple(name for found in sections().values() for name in found)


@cache
def page(name: str) -> Doc:
    """A page by its name.

    Raises:
        KeyError: when there is none of that name.
    """
    if name not in names():
        raise KeyError(name)
    tokens = _markdown().parse((assets.docs_dir() / f"{name}.md").read_text(encoding="utf-8"))
    headings = list(_headings(tokens))
    for token in tokens:
        _lead(token, posixpath.dirname(name))
    html = _markdown().renderer.render(_framed(tokens), _markdown().options, {})
    return Doc(name, headings[0].text, tuple(headings[1:]), Markup(html))  # noqa: S704 - our own files, HTML in them off


@cache
def _markdown() -> MarkdownIt:
    """CommonMark with tables; a text can not bring HTML of its own."""
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _headings(tokens: list[Token]) -> Iterator[Heading]:
    """The headings of the first two levels; each heading gets a place."""
    for token, inside in pairwise(tokens):
        if token.type == "heading_open":
            text = "".join(part.content for part in inside.children or ())
            token.attrSet("id", links.slug(text))
            if token.tag in ("h1", "h2"):
                yield Heading(text, links.slug(text))


def _framed(tokens: list[Token]) -> list[Token]:
    """Tables and listings that can be scrolled by key where they are too wide."""
    found = []
    for token in tokens:
        if token.type == "table_open":
            found.append(Token("html_block", "", 0, content=WIDE))
        if token.type in ("fence", "code_block"):
            token.type, token.content = "html_block", str(LISTING.format(token.content))
        found.append(token)
        if token.type == "table_close":
            found.append(Token("html_block", "", 0, content="</div>"))
    return found


def _lead(token: Token, folder: str) -> None:
    """Have the links of a piece of text lead to places of the site."""
    children = token.children or []
    for number, child in enumerate(children):
        if child.type == "image":
            child.attrSet("src", target(str(child.attrGet("src")), folder) or "")
        if child.type != "link_open":
            continue
        place = target(str(child.attrGet("href")), folder)
        if place is None:
            end = next(n for n in range(number, len(children)) if children[n].type == "link_close")
            child.type = children[end].type = "text"
        else:
            child.attrSet("href", place)


def target(href: str, folder: str) -> str | None:
    """Where a link of a text leads on the site; None where the site has no such thing."""
    if href.startswith(RUNNING):
        return href.removeprefix(RUNNING) or "/"
    if urlsplit(href).scheme or href.startswith("#"):
        return href
    path, _, place = href.partition("#")
    whole = posixpath.normpath(posixpath.join("docs", folder, path))
    if scenario := re.fullmatch(r"engine/scenarios/(.+)\.yaml", whole):
        return links.scenario(scenario[1])
    if whole.startswith("docs/pictures/"):
        return links_edit.doc(whole.removeprefix("docs/"))
    name = whole.removeprefix("docs/").removesuffix(".md")
    return links_edit.doc(name, place) if whole.startswith("docs/") and name in names() else None
