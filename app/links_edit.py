"""The addresses of the editor and of the documentation, beside those of `app.links`.

/edit                                a new scenario
/edit/{scenario}?kernel=             one of the gallery, to change
/edit/s/{id}                         what is kept under a short link, to change
/edit/check  /edit/set  /edit/run  /edit/share      what a form of the editor posts
/docs/{page}                         a page of the documentation
"""

from __future__ import annotations

from urllib.parse import quote

from app.links import DOCS, RunLink

EDIT = "/edit"
CHECK = f"{EDIT}/check"
SET = f"{EDIT}/set"
RUN = f"{EDIT}/run"
SHARE = f"{EDIT}/share"


def edit(origin: str = "", kernel: str = "") -> str:
    """The editor. `origin` is empty, or the name of a gallery scenario, or "s/" and the id of a short link."""
    path = f"{EDIT}/{quote(origin)}" if origin else EDIT
    return f"{path}?kernel={quote(kernel)}" if kernel else path


def edit_run(run: RunLink) -> str:
    """The editor with what a run is made of."""
    return edit(f"s/{run.link}" if run.link else run.scenario, run.kernel)


def doc(name: str, place: str = "") -> str:
    """A page of the documentation, "tour" or "lessons/race"; `place` is a heading on it."""
    return f"{DOCS}/{quote(name)}" + (f"#{quote(place)}" if place else "")
