"""The colours by number: what axe does not see, since much of the picture is SVG. Every ink on every ground it stands on."""

import re
from itertools import product

import pytest

from app.assets import static_dir

STATES = ("clean", "risk", "lost", "durable", "reserved", "refused")
GROUNDS = ("paper", "panel")
TEXT, LARGE = 4.5, 3.0
ENHANCED = 7.0


def tokens(*sheets: str) -> list[dict[str, str]]:
    """The colours by name, light and dark, as the last of the style sheets has them."""
    themes: list[dict[str, str]] = [{}, {}]
    for sheet in sheets:
        css = (static_dir() / "css" / sheet).read_text(encoding="utf-8")
        for name, light, dark in re.findall(r"--([a-z0-9-]+): light-dark\((#\w{6}), (#\w{6})\)", css):
            themes[0][name], themes[1][name] = light, dark
    return themes


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def pairs() -> list[tuple[str, str]]:
    """Each ink with each ground it is written on."""
    inks = [f"{state}-ink" for state in STATES]
    own = [(f"{state}-ink", f"{state}-bg") for state in STATES]
    hues = [f"hue-{n}" for n in range(5)]
    grounds = list(product((*inks, *hues, "ink", "ink-2", "ink-3", "code-word"), GROUNDS))
    return [
        *own,
        *grounds,
        ("ink", "sunk"),
        ("ink-2", "sunk"),
        ("ink-3", "sunk"),
        ("ink", "now-bg"),
        ("code-word", "now-bg"),
    ]


def weak(theme: dict[str, str], asked: list[tuple[str, str]], least: float) -> dict[str, float]:
    """The pairs whose contrast is too little, with what it is."""
    ratios = {f"{ink} on {ground}": round(contrast(theme[ink], theme[ground]), 2) for ink, ground in asked}
    return {pair: ratio for pair, ratio in ratios.items() if ratio < least}


@pytest.mark.parametrize("dark", [0, 1])
def test_every_ink_can_be_read_on_its_ground(dark: int) -> None:
    assert weak(tokens("tokens.css")[dark], pairs(), TEXT) == {}


@pytest.mark.parametrize("dark", [0, 1])
def test_in_high_contrast_every_ink_is_seven_to_one_and_every_line_three(dark: int) -> None:
    theme = tokens("tokens.css", "contrast.css")[dark]
    assert weak(theme, pairs(), ENHANCED) == {}
    lines = [(line, ground) for line in ("rule", "faint", "focus", *STATES) for ground in GROUNDS]
    assert weak(theme, [*lines, *((state, f"{state}-bg") for state in STATES)], LARGE) == {}


@pytest.mark.parametrize("dark", [0, 1])
def test_what_surrounds_a_state_can_be_seen(dark: int) -> None:
    theme = tokens("tokens.css")[dark]
    seen = [(state, ground) for state in (*STATES, "focus", "risk-shape") for ground in GROUNDS if state != "risk"]
    assert weak(theme, seen, LARGE) == {}
