"""A range of steps as one SVG that moves by itself (SMIL): what stays stands once, what changes has its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from app import picture, theatre
from app.runs import Run
from app.troubles import Trouble

SECONDS, LAST = 1.4, 3.0
"""How long a step is seen, and the last one before it all begins again."""
MOST = 40
"""Steps of one animation: more, nobody looks at to the end."""
_SVG = "http://www.w3.org/2000/svg"
ET.register_namespace("", _SVG)

Shown = dict[str, list[int]]
"""Each part of a picture as text, and the frames that show it; in the order in which they lie upon each other."""


def span_of(run: Run, step: int, first: int | None, last: int | None) -> tuple[int, int]:
    """The steps to show: as asked, or those of the access, the call or the write-out that `step` belongs to.

    Raises:
        Trouble: when there are none, or too many.
    """
    end = len(theatre.stage_of(run).trace.steps)
    if first is None and last is None:
        first, last = _journey(run, max(1, step))
    start, stop = first or 0, end if last is None else last
    if not 0 <= start <= stop <= end:
        cure = f"Write from=1&to={min(end, MOST)}; the run has {end} steps"
        raise Trouble("bad-request", f"There are no steps {start} to {stop}", cure=cure)
    if stop - start >= MOST:
        cure = f"Choose at most {MOST}: from={start}&to={start + MOST - 1}"
        raise Trouble("bad-request", f"An animation of {stop - start + 1} steps is too long", cure=cure)
    return start, stop


def _journey(run: Run, step: int) -> tuple[int, int]:
    journeys = theatre.stage_of(run).view.journeys
    if not journeys:
        return 0, 0
    own = journeys[min(step, len(journeys)) - 1]
    numbers = [n for n, journey in enumerate(journeys, start=1) if journey is own]
    first = numbers[0]
    return first, min(numbers[-1], first + MOST - 1)


def svg(run: Run, first: int, last: int) -> str:
    """The steps `first` to `last`, one after the other, for ever; a viewer that does not animate shows the first."""
    frames = [ET.fromstring(text) for text in picture.frames(run, range(first, last + 1))]  # noqa: S314 - our own
    outer, inner = _merged(map(_around, frames)), _merged(map(_scene, frames))
    root, window = frames[0], _window(frames[0])
    times = [SECONDS * n for n in range(len(frames))]
    total = times[-1] + LAST
    keys = [f"{time / total:.4f}".rstrip("0").rstrip(".") or "0" for time in times]
    # The scene stands in a group, not in an <svg> of its own as in a picture: Chromium gives each a clock of its own.
    title = f"{run.order.scenario.title}: steps {first} to {last}"
    return (
        f'<svg xmlns="{_SVG}"{_attributes(root)}><title>{escape(title)}</title>'
        + "".join(_played(outer, keys, total))
        + f'<g transform="translate({window.get("x")} {window.get("y")})">'
        + "".join(_played(inner, keys, total))
        + "</g></svg>\n"
    )


def _window(root: ET.Element) -> ET.Element:
    """The part of a picture that holds the scene."""
    return next(child for child in root if child.tag == f"{{{_SVG}}}svg")


def _around(root: ET.Element) -> list[str]:
    """What stands around the scene, part by part."""
    left_out = [f"{{{_SVG}}}{name}" for name in ("svg", "title", "desc")]
    return [_text(child) for child in root if child.tag not in left_out]


def _scene(root: ET.Element) -> list[str]:
    """What stands in the scene, tile by tile."""
    return [_text(tile) for group in _window(root)[0] if group.tag == f"{{{_SVG}}}g" for tile in group]


def _text(element: ET.Element) -> str:
    return ET.tostring(element, encoding="unicode").replace(f' xmlns="{_SVG}"', "")


def _attributes(element: ET.Element) -> str:
    said = ET.tostring(ET.Element("a", element.attrib), encoding="unicode")
    return said.removeprefix("<a").removesuffix(" />")


def _merged(frames: Iterable[Sequence[str]]) -> Shown:
    """The parts of all frames; a new one lies right above what was below it in its own frame."""
    order: list[str] = []
    seen: dict[str, list[int]] = {}
    for number, frame in enumerate(frames):
        place = 0
        for part in frame:
            if part in seen:
                place = order.index(part) + 1
            else:
                order.insert(place, part)
                place += 1
            seen.setdefault(part, []).append(number)
    return {part: seen[part] for part in order}


def _played(parts: Shown, keys: Sequence[str], total: float) -> Iterator[str]:
    for part, numbers in parts.items():
        shown = set(numbers)
        if len(shown) == len(keys):
            yield part
            continue
        values = ";".join("inline" if n in shown else "none" for n in range(len(keys)))
        yield (
            f'<g display="{"inline" if 0 in shown else "none"}"><animate attributeName="display" calcMode="discrete" '
            f'values="{values}" keyTimes="{";".join(keys)}" dur="{total:g}s" repeatCount="indefinite"/>{part}</g>'
        )
