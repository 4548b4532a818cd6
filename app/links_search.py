"""The addresses of searches: they belong to links.py, which is long enough.

/search/{scenario}/{kernel}?property=&offer=    every way a scenario can go; also /search/{id} for a short link
/search/{search}/cancel                         stops one
/matrix/{scenario}?property=&offer=             the same question on every kernel
/curve/{scenario}?of=                           what becomes of it with more and more room, on every kernel

Behind `search=` stands the id of the search that is followed, so that one which was stopped is not begun again.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from app.links import SAFE, RunLink

SEARCH, MATRIX, CURVE = "/search", "/matrix", "/curve"


def search(run: RunLink, name: str = "", offers: Sequence[str] = (), followed: str = "") -> str:
    """The page that searches every way a run's scenario can go, for a property and what the world may do."""
    parts = (run.link,) if run.link else (run.scenario, run.kernel)
    said = [(key, value) for key, value in run.fields().items() if key != "switch"]
    query = _query([*said, *_question(name, offers, followed)])
    return "/".join([SEARCH, *(quote(part, safe="+") for part in parts)]) + query


def everywhere(scenario: str, name: str = "", offers: Sequence[str] = ()) -> str:
    """The page that asks the same of a gallery scenario on every kernel."""
    return f"{MATRIX}/{quote(scenario, safe='')}" + _query(_question(name, offers))


def row(scenario: str, kernel: str, name: str, offers: Sequence[str], followed: str) -> str:
    """A row of that page, as its search goes on."""
    said = [*_question(name, offers, followed), ("row", kernel)]
    return f"{MATRIX}/{quote(scenario, safe='')}" + _query(said)


def curve(scenario: str, of: str = "") -> str:
    """The page that draws what becomes of a gallery scenario with more and more room, on every kernel."""
    return f"{CURVE}/{quote(scenario, safe='')}" + (f"?of={quote(of, safe=SAFE)}" if of else "")


def cancel(search: str) -> str:
    """Where a search is told to stop."""
    return f"{SEARCH}/{search}/cancel"


def _question(name: str, offers: Sequence[str], followed: str = "") -> list[tuple[str, str]]:
    said = [("property", name), *(("offer", offer) for offer in offers), ("search", followed)]
    return [(key, value) for key, value in said if value]


def _query(said: Sequence[tuple[str, str]]) -> str:
    query = "&".join(f"{key}={quote(value, safe=SAFE)}" for key, value in said)
    return f"?{query}" if query else ""
