"""The addresses of searches: they belong to links.py, which is long enough.

/search/{scenario}/{kernel}?property=&offer=    every way a scenario can go; also /search/{id} for a short link
/search/{search}/cancel                         stops one
/matrix?property=&offer=                        the verdicts about the whole gallery, on every kernel
/matrix/{scenario}?offer=                       those about one scenario, each property on every kernel
/curve/{scenario}?of=                           what becomes of it with more and more room, on every kernel

GET shows what is known, POST to the same address searches. Behind `seen=` and `since=` stands what a page shows
already, so that it is sent what has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from app.links import SAFE, RunLink

SEARCH, MATRIX, CURVE = "/search", "/matrix", "/curve"


def search(run: RunLink, name: str = "", offers: Sequence[str] = (), seen: str = "") -> str:
    """The page that searches every way a run's scenario can go, for a property and what the world may do."""
    parts = (run.link,) if run.link else (run.scenario, run.kernel)
    said = [(key, value) for key, value in run.fields().items() if key != "switch"]
    query = _query([*said, *_question(name, offers), ("seen", seen)])
    return "/".join([SEARCH, *(quote(part, safe="+") for part in parts)]) + query


def matrix(scenario: str = "", name: str = "", offers: Sequence[str] = (), since: int | None = None) -> str:
    """The verdicts about a property on every kernel, of the gallery; or about a scenario, of every property."""
    part = f"/{quote(scenario, safe='')}" if scenario else ""
    return f"{MATRIX}{part}" + _query([*_question(name, offers), ("since", "" if since is None else str(since))])


def curve(scenario: str, of: str = "") -> str:
    """The page that draws what becomes of a gallery scenario with more and more room, on every kernel."""
    return f"{CURVE}/{quote(scenario, safe='')}" + (f"?of={quote(of, safe=SAFE)}" if of else "")


def cancel(search: str) -> str:
    """Where a search is told to stop."""
    return f"{SEARCH}/{search}/cancel"


def _question(name: str, offers: Sequence[str]) -> list[tuple[str, str]]:
    return [("property", name), *(("offer", offer) for offer in offers)]


def _query(said: Sequence[tuple[str, str]]) -> str:
    query = "&".join(f"{key}={quote(value, safe=SAFE)}" for key, value in said if value)
    return f"?{query}" if query else ""
