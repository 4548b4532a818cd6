"""The Jinja environment, and how cells become attributes: `attrs[at]` and `cell[at]` in a template.

The page and the script that plays it write state by one rule. A cell `page/3.dirty` is the attribute data-dirty of
every element with data-at="page/3", and the text of every data-show="dirty" whose nearest data-at that is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

import engine
from app import (
    assets,
    catalogue,
    exhibits,
    keys,
    links,
    links_bytes,
    links_edit,
    links_search,
    manual,
    others,
    scene,
    squeeze,
    static_files,
    theatre,
)
from app.accounts import PLACES
from app.cards import Card
from app.cells import Value
from app.listing import listing, prose
from app.orders import Order
from app.wording import FATE_WORDS
from app.zoom import ZOOMS
from engine import FILESYSTEMS, KERNELS, Kernel, Scenario

SHARED = 2_048
"""How many parts of pages are kept because other pages have them too; one takes a kilobyte or two."""


Entities = Mapping[str, list[tuple[str, str]]]
"""The cells of each entity that has some: (field, text)."""


def entities(state: Mapping[str, Value]) -> Entities:
    """The cells of a state by their entity. `state` has the address of every cell that is there, with its wire form."""
    found: dict[str, list[tuple[str, str]]] = {}
    for at, value in state.items():
        if value is not None:
            entity, _, field = at.rpartition(".")
            found.setdefault(entity, []).append((field, text_of(value)))
    return found


class Attributes:
    """`attrs[at]`: the address of an entity and all its cells, as attributes.

    This and `cell` are subscripts because a page needs eight hundred of them: Jinja takes twice as long for a call.
    """

    def __init__(self, known: Entities) -> None:
        self._known = known

    def __getitem__(self, at: str) -> Markup:
        fields = self._known.get(at)
        if fields is None:
            return address(at)
        said = [f'data-{field.replace("_", "-")}="{escape(text)}"' for field, text in fields]
        return Markup(" ".join([address(at), *said]))  # noqa: S704 - each value is escaped


class Texts:
    """`cell[address]`: a cell as text; empty when it is not there."""

    def __init__(self, known: Entities) -> None:
        self._known = known

    def __getitem__(self, address: str) -> str:
        entity, _, field = address.rpartition(".")
        return next((text for name, text in self._known.get(entity, ()) if name == field), "")


class Cells:
    """A state as templates read it: `attrs[at]` and `cell[address]`."""

    def __init__(self, state: Mapping[str, Value]) -> None:
        known = entities(state)
        self.attrs, self.cell = Attributes(known), Texts(known)


@lru_cache(maxsize=8192)
def address(at: str) -> Markup:
    """The address of an entity, as an attribute: all there is of one that has no cells."""
    return Markup('data-at="{}"').format(at)


def text_of(value: Value) -> str:
    """A wire form as attributes have it: what String(value) gives in the browser."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@cache
def environment() -> Environment:
    """The environment of all templates. What is undefined is an error, what is text is escaped."""
    made = Environment(
        loader=FileSystemLoader(assets.templates_dir()), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters.update(
        listing=listing, prose=prose, complaints=exhibits.complaints, defects=exhibits.defects,
        shared=shared, locks_of=exhibits.locks, slug=links.slug, groupby_order=catalogue.grouped,
    )  # fmt: skip
    made.globals.update(
        addresses=Attributes({}),
        static=static_files.url,
        htmx=lambda: static_files.url(static_files.HTMX),
        site_sheet=squeeze.SITE,
        links=links,
        bytes_at=links_bytes.address,
        fate_words=FATE_WORDS,
        desk=links_edit,
        searching=links_search,
        manual=manual,
        key_actions=keys.actions,
        catalogue=catalogue,
        filesystems=FILESYSTEMS,
        all_kernels=KERNELS,
        columns=scene.COLUMNS,
        places=PLACES,
        zooms=ZOOMS,
        SPACE=scene.SPACE,
        TLB=scene.TLB,
        PGD=scene.PGD,
        PTE=scene.PTE,
        CACHE=scene.CACHE,
        BLOCKS=scene.BLOCKS,
        DISK=scene.DISK,
    )
    return made


@lru_cache(maxsize=SHARED)
def shared(subject: Any, template: str, macro: str) -> Markup:
    """What a macro makes of its subject: a part that many pages have alike, rendered for the first of them."""
    made: Markup = getattr(environment().get_template(template).module, macro)(subject)
    return made


def render(template: str, **context: Any) -> str:
    """A page. `run.html` takes a `run` (app.runs.Run) and a `step`, 0 for the beginning; see app/theatre.py."""
    if template in ("run.html", "run_partial.html", "room.html"):
        context = run_context(**context)
    return environment().get_template(template).render(base=context.pop("base", ""), **context)


def opening(order: Order, card: Card) -> str:
    """The page of a run as far as it does not depend on what happens in it: what a browser needs to load the rest."""
    about = Title(order.scenario, engine.find_kernel(order.kernel), order.link.told(links.Mode()).url())
    return render("run_head.html", run=about, card=card).partition("<body>")[0]


class Title(NamedTuple):
    """What the head of a run's page says; `canonical` is the address of the run, however it is told."""

    scenario: Scenario
    kernel: Kernel
    canonical: str


def run_context(run: Any, step: int, zoom: str = "step", *, lands: bool = False, **context: Any) -> dict[str, Any]:
    """What run.html shows of a run at a step, or where who comes for it `lands`; `zoom` is how far one press goes."""
    stage = theatre.stage_of(run)
    step = min(step, len(stage.trace.steps))  # a page carries fewer steps than a very long run has
    if lands:
        step = theatre.landing(stage, run.order.link.mode, step)
    cells = Cells(stage.state_at(step))
    moment = theatre.Moment(stage, run.order.link, step, zoom)
    said = _shown(stage, moment, cells)
    cards = others.Others(run.order, moment.event, others.known(run.order, run.trace))
    return {"astray": "", **context, **said, "others": cards}


def player_context(run: Any, step: int, **context: Any) -> dict[str, Any]:
    """What _player.html shows of a run at a step."""
    stage = theatre.stage_of(run)
    step = min(step, len(stage.trace.steps))
    moment = theatre.Moment(stage, run.order.link, step)
    return {"astray": "", "framed": True, **context, **_shown(stage, moment, Cells(stage.state_at(step)))}


def _shown(stage: theatre.Stage, moment: theatre.Moment, cells: Cells) -> dict[str, Any]:
    return {"run": moment, "scene": stage.scene, "attrs": cells.attrs, "cell": cells.cell}
