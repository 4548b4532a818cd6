"""Styles as attributes: a drawing that a style sheet paints becomes one that shows alone, in any program.

`paint` applies the sheets to an SVG as a browser would, in the light theme and without the user's own wishes, writes
what each thing looks like into its attributes, and leaves out what is not seen. cssselect2 matches the selectors.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

import cssselect2
import tinycss2

from app import assets

SHEETS = ("tokens.css", "panels.css", "controls.css", "rail.css", "scene.css", "picture.css")
"""The sheets that say how things in a picture look, in order; rules for anything else match nothing."""
LAYERS = ("tokens", "reset", "base", "layout", "components", "scene", "motion", "small")
INHERITED = (
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "text-anchor",
    "font-family", "font-size", "font-weight", "letter-spacing",
)  # fmt: skip
OWN = ("opacity", "text-decoration", "r")
KEPT = (
    "viewBox",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "width",
    "height",
    "rx",
    "r",
    "d",
    "transform",
    "cx",
    "cy",
    "xmlns",
)
"""The attributes that say where a thing is; all others served the sheet."""
WORDS = ("title", "desc")
USUAL = {"fill": "black", "stroke": "none", "stroke-width": "1", "stroke-dasharray": "none", "font-weight": "400"}
_SVG = "{http://www.w3.org/2000/svg}"
_NO_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML can not say; the words of a scenario may have it."""
_VAR = re.compile(r"var\((--[\w-]+)(?:,\s*([^()]*))?\)")
_LIGHT = re.compile(r"light-dark\(\s*([^,()]+)\s*,[^()]*\)")
_MIX = re.compile(r"color-mix\(in srgb,\s*(#\w+)\s+(\d+)%,\s*(#\w+|transparent)\)")
_FONT = re.compile(r"(?:(?P<weight>\d{3})\s+)?(?P<size>[\d.]+(?:px|em|rem))(?:/[\d.]+)?\s+(?P<family>.+)")

Style = Mapping[str, str]


class Rule(NamedTuple):
    """What a rule says, and which layer it stands in."""

    layer: int
    style: tuple[tuple[str, str], ...]


def paint(markup: str) -> str:
    """The SVG with its styles in its attributes, as a document of its own."""
    root = cssselect2.ElementWrapper.from_xml_root(ET.fromstring(_NO_TEXT.sub("\ufffd", markup)))  # noqa: S314 - ours
    return "".join(_painted(root, {}))


def _painted(element: cssselect2.ElementWrapper, above: Style) -> Iterator[str]:
    """The element as text; nothing when nothing of it is seen. `above` is how its parent looks."""
    tag = element.local_name
    if tag in WORDS:
        yield f"<{tag}>{escape((element.etree_element.text or '').strip())}</{tag}>"
        return
    said = _style(element, above)
    if said.get("display") == "none" or said.get("visibility") == "hidden" or said.get("opacity") == "0":
        return
    inside = "".join(_inside(element, said))
    if inside or tag not in ("g", "text", "tspan"):
        yield f"<{tag}{_attributes(element, said, above)}" + (f">{inside}</{tag}>" if inside else "/>")


def _inside(element: cssselect2.ElementWrapper, said: Style) -> Iterator[str]:
    is_text = element.local_name in ("text", "tspan")
    if is_text:
        yield _words(element.etree_element.text, said)
    for child in element.iter_children():
        yield from _painted(child, said)
        if is_text:
            yield _words(child.etree_element.tail, said)


def _words(text: str | None, said: Style) -> str:
    shown = text or ""
    return escape(shown.upper() if said.get("text-transform") == "uppercase" else shown)


def _attributes(element: cssselect2.ElementWrapper, said: Style, above: Style) -> str:
    given = element.etree_element.attrib
    found = {name: given[name] for name in KEPT if name in given}
    if element.parent is None:
        found["xmlns"] = _SVG[1:-1]
    for name in INHERITED:
        if name in said and said[name] != above.get(name, USUAL.get(name)):
            found[name] = said[name]
    found |= {name: said[name] for name in OWN if name in said}
    return "".join(f" {name}={quoteattr(value)}" for name, value in found.items())


def _style(element: cssselect2.ElementWrapper, above: Style) -> dict[str, str]:
    """How an element looks: what it inherits, and what the rules say, in the order of their weight."""
    said = {name: value for name, value in above.items() if name in _HANDED or name.startswith("--")}
    matches = ((match[-1].layer, match[:2], match[-1]) for match in _matcher().match(element) if match[2] is None)
    ruled: dict[str, str] = {}
    for _, _, rule in sorted(matches, key=lambda each: each[:2]):
        ruled |= dict(rule.style)
    said |= {name: value for name, value in ruled.items() if name.startswith("--")}
    said |= {name: _value(value, said) for name, value in ruled.items() if not name.startswith("--")}
    for name in ("fill", "stroke"):
        if said.get(name, "").lower() == "currentcolor":
            said[name] = said.get("color", "black")
    return said


_HANDED = (*INHERITED, "color", "text-transform")


def _value(text: str, known: Style) -> str:
    """A value with its variables in their place, in the light theme."""
    for _ in range(8):  # a variable may name another
        if "var(" not in text:
            break
        text = _light(_VAR.sub(lambda match: known.get(match[1], match[2] or ""), text))
    return _MIX.sub(_mixed, _light(text)).strip()


def _light(text: str) -> str:
    """A value as the light theme has it."""
    return _LIGHT.sub(lambda match: match[1].strip(), text)


def _mixed(match: re.Match[str]) -> str:
    """Two colours mixed; with none beside it, a colour becomes the more transparent."""
    part = int(match[2]) / 100
    first = _channels(match[1])
    if match[3] == "transparent":
        return f"rgba({first[0]}, {first[1]}, {first[2]}, {part:g})"
    mixed = (round(a * part + b * (1 - part)) for a, b in zip(first, _channels(match[3]), strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> tuple[int, int, int]:
    digits = colour[1:] if len(colour) > 4 else "".join(digit * 2 for digit in colour[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


@cache
def _matcher() -> cssselect2.Matcher:
    """All rules of the sheets, ready to be matched; read once."""
    matcher = cssselect2.Matcher()
    for name in SHEETS:
        text = (assets.static_dir() / "css" / name).read_text(encoding="utf-8")
        for layer, rule in _rules(tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)):
            for selector in _selectors(rule):
                matcher.add_selector(selector, Rule(layer, tuple(_declared(rule))))
    return matcher


def _rules(nodes: list[tinycss2.ast.Node], layer: int = 0) -> Iterator[tuple[int, tinycss2.ast.QualifiedRule]]:
    """The rules with their layers. What a media query guards is for a screen, for print or for somebody's wishes."""
    for node in nodes:
        if node.type == "qualified-rule":
            yield layer, node
        elif node.type == "at-rule" and node.at_keyword == "layer" and node.content is not None:
            name = tinycss2.serialize(node.prelude).strip()
            yield from _rules(
                tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True), LAYERS.index(name)
            )


def _selectors(rule: tinycss2.ast.QualifiedRule) -> list[cssselect2.compiler.CompiledSelector]:
    """The selectors of a rule; none where one is of a kind that no drawing needs, such as ::-webkit-slider-thumb."""
    try:
        return list(cssselect2.compile_selector_list(rule.prelude))
    except cssselect2.SelectorError:
        return []


def _declared(rule: tinycss2.ast.QualifiedRule) -> Iterator[tuple[str, str]]:
    for declaration in tinycss2.parse_blocks_contents(rule.content, skip_comments=True, skip_whitespace=True):
        if declaration.type != "declaration":
            continue
        value = tinycss2.serialize(declaration.value).strip()
        yield from _spread(value) if declaration.lower_name == "font" else [(declaration.name, value)]


def _spread(font: str) -> Iterator[tuple[str, str]]:
    """The parts of a `font`."""
    if match := _FONT.fullmatch(font):
        yield from (
            ("font-weight", match["weight"] or "400"),
            ("font-size", match["size"]),
            ("font-family", match["family"]),
        )
