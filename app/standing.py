"""What is known of a question: a search that waits, goes on or is over, or a verdict that is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from starlette.requests import Request

from app import links
from app.asking import Question, is_final
from app.searches import CANCELLED, DONE, OVER, Search, Searches
from app.troubles import Trouble
from app.verdicts import Verdicts
from app.wire_verdicts import VerdictOut, verdict_out
from engine import BROKEN, HOLDS, UNDECIDED, find_property
from engine.claims import SOMETIMES

PATIENCE = 1.0
"""Seconds that the answer to a question waits for the verdict: most small scenarios have one by then."""


def searches(request: Request) -> Searches:
    """The searches of this server."""
    found: Searches = request.app.state.searches
    return found


def verdicts(request: Request) -> Verdicts:
    """What was found here, before."""
    found: Verdicts = request.app.state.verdicts
    return found


async def of(request: Request, question: Question, *kin: Question) -> VerdictOut | None:
    """What is known of a question; None if it was not asked yet.

    A verdict about one of its `kin`, which asks the same in another measure, is one about it if it needs no witness.
    """
    search = searches(request).find(question.id)
    if search is not None and search.is_final:
        return out(request, search)
    kept = await to_thread.run_sync(verdicts(request).get, [each.id for each in (question, *kin)])
    own = kept.get(question.id)
    if own is not None and (search is None or is_final(own)):
        return kept_out(question.id, own)
    for name, answer in kept.items():
        if name != question.id and answer["verdict"] != UNDECIDED and not answer["witnesses"]:
            return kept_out(question.id, answer)
    return out(request, search) if search is not None else None


async def begin(request: Request, question: Question, *kin: Question) -> VerdictOut:
    """What is known of a question; it is searched if that is not known, or was left for lack of time.

    Raises:
        Trouble: when too many wait.
    """
    known = await of(request, question, *kin)
    if known is not None and (known.state not in OVER or _is_settled(known)):
        search = searches(request).find(question.id)
        if search is None or search.over.is_set():
            return known
    else:
        search = searches(request).ask(question)
    await to_thread.run_sync(search.over.wait, PATIENCE)
    return out(request, search)


async def named(request: Request, name: str) -> VerdictOut:
    """A search or a verdict by its id.

    Raises:
        Trouble: when there is none, or none any more.
    """
    search = searches(request).find(name)
    if search is not None:
        return out(request, search)
    kept = await to_thread.run_sync(verdicts(request).get, [name])
    if name not in kept:
        raise unknown(name)
    return kept_out(name, kept[name])


def unknown(name: str) -> Trouble:
    """That there is no such search."""
    return Trouble("not-found", f"No search {name[:40]!r} is kept here", cure="Ask the question again")


def out(request: Request, search: Search) -> VerdictOut:
    """A search as it stands."""
    said = search.answer or search.progress
    if search.state == CANCELLED and not search.answer:  # before it said how far it got
        said = {**said, "verdict": _word(said), "stopped": "asked to"}
    here = links.api("verdicts", search.asked.id)
    return verdict_out(
        search.asked.id,
        said,
        state=search.state,
        says=search.says,
        seconds=round(search.seconds, 3),
        links={"self": here} if search.state in OVER else {"self": here, "cancel": here},
        place=searches(request).place(search),
    )


def kept_out(name: str, said: Mapping[str, Any]) -> VerdictOut:
    """A verdict that is kept."""
    here = links.api("verdicts", name)
    return verdict_out(name, said, state=DONE, seconds=said["seconds"], links={"self": here})


def _word(said: Mapping[str, Any]) -> str:
    """The verdict of what was found so far."""
    if not said.get("witnesses"):
        return UNDECIDED
    return HOLDS if find_property(said["property"]).mode == SOMETIMES else BROKEN


def _is_settled(known: VerdictOut) -> bool:
    return known.state == DONE and is_final({"verdict": known.verdict, "stopped": known.stopped})
