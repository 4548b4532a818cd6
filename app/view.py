"""The view: derived cells, a pure function of a trace, that say what the picture shows at each step.

    view = build_view(trace, scenario, kernel)
    view.initial                {address: value} before the first step
    view.state_at(n)            the cells after step n
    view.steps[n - 1]           what step n changes: (address, old, new)

A page shows one step, so the steps are told as far as somebody asks: `state_at(n)` has them told up to n, `steps` has
all of them told. Rules (app/rules.py, app/accounts.py) run again only where a raw cell they read has changed; what
belongs to the step itself (caption, rail, call stack, what changed) is worked out a step at a time by app/moments.py.
Server and browser show nothing but these cells and the raw ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

from app import questions, rail, stories
from app.accounts import MAX_SEGMENTS, Accounts, Ledger, Stored
from app.cast import Cast, cast_of
from app.marks import Marks
from app.memory import Memory
from app.moments import Moments, Run
from app.queues import Queues
from app.rules import Fields, Get, Pages, Rule
from app.stacks import stacks_of
from app.wording import names_in
from engine import Kernel, Scenario, StoreInfo, Trace

Value = str | int | bool | None
Delta = tuple[str, Value, Value]
NOTHING: Fields = {}


class Telling:
    """What each step changes, told as far as somebody asks. It goes on where it stopped; threads may share it."""

    def __init__(self, steps: Iterator[tuple[Delta, ...]]) -> None:
        """`steps` tells one after the other."""
        self._told: list[tuple[Delta, ...]] = []
        self._steps = steps
        self._turn = Lock()

    def until(self, n: int) -> Sequence[tuple[Delta, ...]]:
        """The steps that are told, at least the first n.

        Raises:
            LookupError: when the telling broke off before.
        """
        with self._turn:
            self._told += islice(self._steps, max(0, n - len(self._told)))
        if len(self._told) < n:
            raise LookupError(f"{n} steps are asked for, {len(self._told)} are told")
        return self._told


@dataclass(frozen=True, slots=True)
class View:
    """The derived cells of a run, and what is known of it before its steps are told."""

    cast: Cast
    stores: tuple[Stored, ...]
    journeys: tuple[rail.Journey, ...]
    runs: tuple[Run, ...]
    initial: dict[str, Value]
    telling: Telling
    beats: tuple[stories.Beat, ...] = ()
    questions: tuple[questions.Question, ...] = ()

    @property
    def steps(self) -> Sequence[tuple[Delta, ...]]:
        """What each step changes, of all of them."""
        return self.telling.until(len(self.journeys))

    def state_at(self, n: int) -> dict[str, Value]:
        """The view cells after step n; 0 is the beginning."""
        state = dict(self.initial)
        for step in islice(self.telling.until(min(n, len(self.journeys))), n):
            state.update((at, new) for at, _, new in step)
        return {at: value for at, value in state.items() if value is not None}


def build_view(trace: Trace, scenario: Scenario, kernel: Kernel) -> View:
    """Work out the view of a run up to its first step. The kernel says where its functions stand in the source."""
    cast = cast_of(trace, scenario)
    stores = tuple(_stored(store, scenario, cast, trace) for store in trace.stores)
    stacks = stacks_of(trace)
    journeys = tuple(rail.journeys(trace, stacks, scenario, names_in(kernel).task))
    sheet = Sheet(dict(trace.initial), rules(cast, scenario, trace, stores, kernel))
    moments = Moments(trace, scenario, kernel, cast, journeys, stacks)
    beats = stories.story_of(trace, scenario, kernel, moments.sentences)
    tale = stories.cells(beats)
    asked = questions.questions_of(trace)
    quiz = questions.cells(asked, moments.sentences)
    sheet.refresh(None)
    sheet.put([*moments.beginning(sheet.fields), ("story", tale.get(0, NOTHING)), *_asked(quiz, 0)])
    initial, marks = sheet.cells(), Marks()

    def tell() -> Iterator[tuple[Delta, ...]]:
        for step in trace.steps:
            sheet.log, sheet.before = [], {}
            writes = (*step.writes, *step.derived)
            for at, _, new in writes:
                sheet.state[at] = new
            sheet.refresh(at for at, _, _ in writes)
            sheet.put(marks.of(sheet.before, sheet.known))
            sheet.put(moments.at(step, sheet.state.get, sheet.fields))
            sheet.put([("story", tale.get(step.n, NOTHING)), *_asked(quiz, step.n)])
            yield tuple(sheet.log)

    return View(cast, stores, journeys, tuple(moments.runs), initial, Telling(tell()), beats, asked)


def _asked(quiz: Mapping[int, Mapping[str, Fields]], n: int) -> list[tuple[str, Fields]]:
    """The question before the next step, and the answer to the one before this."""
    here = quiz.get(n, NOTHING)
    return [("ask", here.get("ask", NOTHING)), ("reply", here.get("reply", NOTHING))]


def rules(cast: Cast, scenario: Scenario, trace: Trace, stores: tuple[Stored, ...], kernel: Kernel) -> dict[str, Rule]:
    """The rule of every view entity of a run."""
    pages = Pages(cast, stores)
    return {
        **dict(pages.rules()),
        **dict(Accounts(pages, quotas_of(scenario, trace)).rules()),
        **dict(Ledger(pages, stores).rules()),
        **dict(Memory(pages).rules()),
        **dict(Queues(cast, tuple(scenario.tasks), names_in(kernel)).rules()),
    }


def quotas_of(scenario: Scenario, trace: Trace) -> dict[str, int]:
    """The users whose quota has a gauge, with its number of segments: one a block while that can be drawn."""
    users = sorted({at.split("/")[1].rpartition(".")[0] for at in trace.initial if at.startswith("quota/")})
    limits = {user: scenario.filesystem.quota.get(user) for user in users}
    return {user: min((q.hard or q.soft or 8) if q else 8, MAX_SEGMENTS) for user, q in limits.items()}


def _stored(store: StoreInfo, scenario: Scenario, cast: Cast, trace: Trace) -> Stored:
    """A store of the trace with the virtual pages it went through (none for pwrite)."""
    at = f"store/{store.id}.vpn"
    vpn = next((new for step in trace.steps for name, _, new in step.writes if name == at), None)
    count = -(-store.stop // cast.page_size) - store.start // cast.page_size
    vpns = tuple(range(vpn, vpn + max(1, count))) if isinstance(vpn, int) else ()
    mm = scenario.tasks[store.task].thread_of or store.task
    return Stored(store.id, store.task, store.line, mm, store.file, store.start, store.stop, store.text, vpns)


class Sheet:
    """View entities, the rules that fill them, and which raw cells each rule has read."""

    def __init__(self, state: dict[str, Any], table: Mapping[str, Callable[[Get], Fields]]) -> None:
        self.state, self.table = state, table
        self.log: list[Delta] = []
        self.known: dict[str, Fields] = {}
        self.before: dict[str, Fields] = {}
        """What the entities that have changed were."""
        self._readers: dict[str, set[str]] = {}
        self._read: dict[str, set[str]] = {}

    def refresh(self, changed: Iterable[str] | None) -> None:
        """Run the rules that read any of these cells; all of them for None."""
        readers = self._readers
        if changed is None:
            names: Iterable[str] = self.table
        else:
            names = dict.fromkeys([name for at in changed if at in readers for name in sorted(readers[at])])
        for name in list(names):
            self._run(name)

    def _run(self, name: str) -> None:
        read: set[str] = set()
        state = self.state

        def get(at: str) -> Any:
            read.add(at)
            return state.get(at)

        fields = self.table[name](get)
        before = self._read.get(name, set())
        if read != before:
            for at in before - read:
                self._readers[at].discard(name)
            for at in read - before:
                self._readers.setdefault(at, set()).add(name)
            self._read[name] = read
        self.put([(name, fields)])

    def put(self, entities: Iterable[tuple[str, Fields]]) -> None:
        """Give entities these fields and no others, each at most once a step; what changes is added to the log."""
        known, log, was = self.known, self.log.append, self.before.setdefault
        for name, fields in entities:
            before = known.get(name, NOTHING)
            if before is fields or before == fields:
                continue
            known[name] = fields
            was(name, before)
            for field, old in before.items():
                if field not in fields and old is not None:
                    log((f"{name}.{field}", old, None))
            for field, new in fields.items():
                if (old := before.get(field)) != new:
                    log((f"{name}.{field}", old, new))

    def fields(self, name: str) -> Fields:
        """The fields of an entity; some may be None."""
        return self.known.get(name, NOTHING)

    def cells(self) -> dict[str, Value]:
        """Every cell that is there."""
        known = self.known.items()
        return {f"{name}.{at}": value for name, fields in known for at, value in fields.items() if value is not None}
