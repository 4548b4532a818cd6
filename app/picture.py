"""A picture of one step that stands alone: as SVG with everything in it, and as the card that a link to it shows."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app import cards, ink, scene, templating
from app.links import VOICES
from app.rail import PLACES
from app.runs import Run

MARGIN = 20
WIDE = scene.WIDTH + 2 * MARGIN
HEAD, RAIL = 76, 96
LINE, SMALL, FOOT = 24, 20, 46


@dataclass(frozen=True, slots=True)
class Halt:
    """A station of the rail in the picture: its cells, its place, whether it stands out, and has its name beside it."""

    at: str
    x: float
    pitch: float
    key: bool
    named: bool


def svg(run: Run, step: int) -> str:
    """The picture of a step: title, rail, scene and sentence."""
    said = templating.player_context(run, step)
    return _drawn("_picture.svg", said, _plate(said))


def frames(run: Run, steps: Iterable[int]) -> Iterator[str]:
    """The pictures of some steps, all of one size and with everything in one place, to be shown one after the other."""
    said = [templating.player_context(run, step) for step in steps]
    plates = [_plate(each, rail=True) for each in said]
    height = max(plate["height"] for plate in plates)
    for each, plate in zip(said, plates, strict=True):
        yield _drawn("_picture.svg", each, {**plate, "height": height})


def card(run: Run, step: int) -> str:
    """The card of a step: title, sentence and scene, in large letters."""
    said = templating.player_context(run, step)
    return _drawn("_card.svg", said, _card(said))


def _drawn(template: str, said: Mapping[str, Any], plate: Mapping[str, Any]) -> str:
    markup = templating.environment().get_template(template).render(**said, plate=plate)
    return ink.paint(markup) + "\n"


def _told(said: Mapping[str, Any]) -> str:
    return "caption.plain" if said["run"].voice == VOICES[0] else "caption.text"


def _plate(said: Mapping[str, Any], *, rail: bool = False) -> dict[str, Any]:
    """Where everything stands in the picture; `rail` leaves room for the rail also where there is none."""
    cell, moment = said["cell"], said["run"]
    lines, why = textwrap.wrap(cell[_told(said)], 88), textwrap.wrap(cell["caption.why"], 108)
    stations = tuple(_stations(cell))
    top = HEAD + (RAIL if stations or rail else 0)
    below = 26 + LINE * len(lines) + SMALL * len(why)
    hue = moment.hue(moment.trace.steps[moment.step - 1].task) if moment.step else 0
    return {
        "width": WIDE,
        "height": round(top + said["scene"].height + below + FOOT),
        "top": top,
        "stations": stations,
        "said": lines,
        "why": why,
        "hue": hue,
    }


def _stations(cell: Any) -> Iterator[Halt]:
    """The stations that this journey has, side by side; those in between are named while the step stands there."""
    there = [at for at in PLACES if cell[f"{at}.kind"]]
    pitch = (WIDE - 2 * MARGIN) / max(1, len(there))
    for place, at in enumerate(there):
        key = cell[f"{at}.kind"] == "gate" or bool(cell[f"{at}.key"])
        yield Halt(at, round(MARGIN + pitch * (place + 0.5), 1), round(pitch, 1), key, key or bool(cell[f"{at}.now"]))


def _card(said: Mapping[str, Any]) -> dict[str, Any]:
    """Where everything stands on the card: the scene takes what the words leave."""
    cell, moment = said["cell"], said["run"]
    text = cell[_told(said)] or moment.scenario.story
    lines = textwrap.wrap(text, 72, max_lines=3, placeholder=" …")
    top = 160 + 38 * (len(lines) - 1) + 30
    room = cards.HIGH - top - 24
    scale = min((cards.WIDE - 96) / scene.WIDTH, room / said["scene"].height)
    wide, high = scale * scene.WIDTH, scale * said["scene"].height
    return {
        "width": cards.WIDE,
        "height": cards.HIGH,
        "name": textwrap.shorten(moment.scenario.title, 40, placeholder=" …"),
        "said": lines,
        "top": top,
        "left": round((cards.WIDE - wide) / 2),
        "wide": round(wide),
        "high": round(high),
    }
