"""A client for Python: every answer of the API as the struct it is.

    site = Client("https://pagefate.example")
    run = site.run("mail", "linux-2.6.9")             RunOut: run.outcome, run.stores, …
    for step in site.steps(run.url, task="A"):        StepOut, from page to page
        ...
    site.provenance(run.url, "mm/A/pte/0x40002.entry").writes[0].event
    site.verdict("mail", "wli-corrected", offers=["writeback"]).verdict

It needs nothing but what Pagefate itself is made of. A refusal is raised as `Refused`, which says what would be right.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from urllib.request import Request, urlopen

import msgspec

from app import links
from app.outlook import ForesightOut
from app.problem_wire import ProblemOut
from app.wire import LinkOut, MomentOut, RunOut, StepOut
from app.wire_choices import FilesystemOut, KernelOut, ScenarioOut
from app.wire_compare import ComparisonOut
from app.wire_selection import DiffOut, ProvenanceOut, StepsOut
from app.wire_verdicts import VerdictOut
from engine.errors import sentence

HERE = "http://127.0.0.1:8000"
SECONDS = 30
EVERY = 0.5
"""Seconds between two looks at a search."""
UNDER_WAY = ("waiting", "searching")

T = TypeVar("T")


class Refused(Exception):
    """The server did not do it. `problem` has every single thing that is wrong; the text is its sentence and cure."""

    def __init__(self, problem: ProblemOut) -> None:
        self.problem = problem
        super().__init__(sentence(problem.detail, cure=problem.cure))


class Unreachable(Exception):
    """Nobody answers there, or not as Pagefate does."""


class Client:
    """A site, by its address. `url` in a method is that of a run, as an answer gives it: `/run/…` or `/s/…`."""

    def __init__(self, site: str = HERE, *, timeout: float = SECONDS) -> None:
        """Ask nothing yet; `timeout` is in seconds."""
        self.site, self.timeout = site.rstrip("/"), timeout

    def run(  # noqa: PLR0913 - what determines a run, by name
        self,
        scenario: str | Mapping[str, Any],
        kernel: str = "",
        *,
        filesystem: str | None = None,
        schedule: str | None = None,
        watch: bool = False,
        trace: bool = False,
    ) -> RunOut:
        """Run a scenario: the name of one of the gallery, its YAML text, or an object. `trace` gives every step."""
        body = _wanted(scenario, kernel, filesystem, schedule) | ({"watch": True} if watch else {})
        return self._post(f"{links.API}/runs{'?include=trace' if trace else ''}", body, RunOut)

    def link(
        self,
        scenario: str | Mapping[str, Any],
        kernel: str = "",
        *,
        filesystem: str | None = None,
        schedule: str | None = None,
    ) -> LinkOut:
        """Make a short link to a run, for ever."""
        return self._post(f"{links.API}/links", _wanted(scenario, kernel, filesystem, schedule), LinkOut)

    def steps(self, url: str, **wanted: str | int) -> Iterator[StepOut]:
        """The steps of a run that fit (`task`, `function`, `name`, `touches`, `to`), asked for as they are taken."""
        onward: str | None = self._part(url, "steps", **wanted)
        while onward:
            page = self._get(onward, StepsOut)
            yield from page.items
            onward = page.next

    def step(self, url: str, n: int) -> MomentOut:
        """A step and every cell after it; 0 is the beginning."""
        return self._get(self._part(url, f"steps/{n}"), MomentOut)

    def diff(self, url: str, before: int, after: int, touches: str = "") -> DiffOut:
        """What stands otherwise after the one step than after the other."""
        said: dict[str, str | int] = {"from": before, "to": after, "touches": touches}
        return self._get(self._part(url, "diff", **said), DiffOut)

    def provenance(self, url: str, cell: str, step: int | None = None) -> ProvenanceOut:
        """Who wrote a cell, up to a step, the last one first."""
        said: dict[str, str | int] = {"cell": cell} | ({} if step is None else {"step": step})
        return self._get(self._part(url, "provenance", **said), ProvenanceOut)

    def compare(self, scenario: str, *kernels: str) -> ComparisonOut:
        """Runs of a gallery scenario side by side."""
        query = quote(",".join(kernels), safe=links.SAFE)
        return self._get(f"{links.api('compare', scenario)}?kernels={query}", ComparisonOut)

    def foresight(self, url: str, *, offers: Sequence[str] = ()) -> ForesightOut:
        """What could still become of a run, step by step; `offers` are what the world may do besides."""
        return self._get(self._part(url, "foresight", offer=list(offers)), ForesightOut)

    def verdict(
        self,
        scenario: str | Mapping[str, Any],
        kernel: str = "",
        *,
        told: Callable[[VerdictOut], object] | None = None,
        **asked: Any,
    ) -> VerdictOut:
        """Ask whether a property holds whoever runs when, and wait until the search is over.

        `asked`: what else `POST /api/v1/verdicts` takes: property, offers, filesystem, states, seconds, witnesses.
        `told` hears meanwhile how far it is: `witnesses` are the ways found so far, those that are runs with a `url`.
        """
        found = self._post(f"{links.API}/verdicts", _wanted(scenario, kernel, None, None) | asked, VerdictOut)
        while found.state in UNDER_WAY:
            if told is not None:
                told(found)
            time.sleep(EVERY)
            found = self._get(found.links["self"], VerdictOut)
        return found

    def scenarios(self) -> list[ScenarioOut]:
        """The gallery."""
        return self._get(links.api("scenarios"), list[ScenarioOut])

    def kernels(self) -> list[KernelOut]:
        """The kernels."""
        return self._get(links.api("kernels"), list[KernelOut])

    def filesystems(self) -> list[FilesystemOut]:
        """The filesystems."""
        return self._get(links.api("filesystems"), list[FilesystemOut])

    def _part(self, url: str, name: str, **said: str | int | Sequence[str]) -> str:
        """The address of something about the run at `url`."""
        parts = urlsplit(url)
        kind, *names = parts.path.strip("/").split("/")
        if (kind, len(names)) not in (("run", 2), ("s", 1)):
            raise ValueError(f"{url!r} is no address of a run: it is /run/SCENARIO/KERNEL or /s/ID")
        path = links.api("runs" if kind == "run" else "links", *names)
        query = [*parse_qsl(parts.query), *((key, value) for key, value in said.items() if value != "")]
        return f"{path}/{name}?{urlencode(query, doseq=True, safe=links.SAFE)}".rstrip("?")

    def _get(self, address: str, kind: type[T]) -> T:
        return self._ask(Request(f"{self.site}{address}"), kind)  # noqa: S310 - the caller's own site

    def _post(self, address: str, body: object, kind: type[T]) -> T:
        headers = {"Content-Type": "application/json"}
        return self._ask(Request(f"{self.site}{address}", json.dumps(body).encode(), headers), kind)  # noqa: S310

    def _ask(self, request: Request, kind: type[T]) -> T:
        """The answer as a struct.

        Raises:
            Refused: when the server says what is wrong.
            Unreachable: when nobody answers, or not as Pagefate does.
        """
        request.add_header("Accept", "application/json")
        try:
            with urlopen(request, timeout=self.timeout) as answer:  # noqa: S310
                return msgspec.json.decode(answer.read(), type=kind, strict=False)
        except HTTPError as error:
            raise _refusal(error, request.full_url) from error
        except (OSError, URLError, HTTPException, msgspec.DecodeError) as error:
            raise Unreachable(f"{request.full_url} can not be asked: {error}") from error


def _refusal(error: HTTPError, url: str) -> Exception:
    try:
        return Refused(msgspec.json.decode(error.read(), type=ProblemOut))
    except msgspec.DecodeError:
        return Unreachable(f"{url} answers {error.code}, and not as Pagefate does")


def _wanted(
    scenario: str | Mapping[str, Any], kernel: str, filesystem: str | None, schedule: str | None
) -> dict[str, object]:
    said = {"scenario": scenario, "kernel": kernel, "filesystem": filesystem, "schedule": schedule}
    return {name: value for name, value in said.items() if value}
