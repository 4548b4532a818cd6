"""Challenges: a goal that a scenario of one's own shall reach on a given kernel, checked by running it.

A challenge is data: where to start, and bounds for what is counted at the end of a run. Nothing is stored, and nothing
but the simulator runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine import Scenario, Trace

HOLE = """\
title: My own experiment
filesystem: {{type: {filesystem}, blocks: {blocks}}}
files:
  f: {{owner: alice, size: 4P, data: {{0P: a}}}}     # page 0 has a block, pages 1 to 3 are holes
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 4P, READ|WRITE, SHARED)
      - m[1P] = "B"
      - m[2P] = "C"
      - msync(m, SYNC)
      - exit()
  B:
    user: bob
    script:
      - drop_caches()
      - x = pread(f, 1, 2P)
schedule: [A, B]
"""
"""Where all challenges start: there is room, and everything goes well."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What is counted (a key of `measures`), between which bounds, and how to say it."""

    measure: str
    least: int
    most: int
    says: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """A goal on one kernel and filesystem. `hint` is shown to who asks for it; `see` is a scenario to learn from."""

    name: str
    title: str
    story: str
    kernel: str
    filesystem: str
    goals: tuple[Goal, ...]
    hint: str
    see: str
    blocks: int = 8

    @property
    def start(self) -> str:
        """The scenario to start from."""
        return HOLE.format(filesystem=self.filesystem, blocks=self.blocks)


@dataclass(frozen=True, slots=True)
class Found:
    """How a run did by one goal, and what was counted."""

    says: str
    met: bool
    count: int


MANY = 1_000
CHALLENGES: Mapping[str, Challenge] = {
    challenge.name: challenge
    for challenge in (
        Challenge(
            "one-page-in-silence",
            "Lose one page, and let nobody know",
            "On 2.6.9, lose exactly one page for good. No signal, no failed call: nobody may be told.",
            "linux-2.6.9",
            "ext2",
            (
                Goal("lost", 1, 1, "exactly one page is lost"),
                Goal("refused", 0, 0, "no store is refused with SIGBUS"),
                Goal("told", 0, 0, "nobody is told of a loss"),
            ),
            "A store through a mapping asks for no room. Fill the disk first, and let somebody else do the writing.",
            "mail",
        ),
        Challenge(
            "a-sync-that-lies",
            "Make a sync call lie",
            "On 2.6.9, have msync or fsync answer 0 for a letter that is gone at the end, and nobody told of it.",
            "linux-2.6.9",
            "ext2",
            (
                Goal("lied", 1, MANY, "a call that promises durability has answered 0 for data that is lost"),
                Goal("refused", 0, 0, "no store is refused with SIGBUS"),
            ),
            "fsync writes the pages that are marked. Who marks a page that was stored to through a mapping, and when?",
            "fsync-first-store",
        ),
        Challenge(
            "one-kept-one-refused",
            "One kept, one refused",
            "On 6.18 with ext4, let one store be refused with SIGBUS in time, and another one be safe on the disk.",
            "linux-6.18",
            "ext4",
            (
                Goal("durable", 1, MANY, "a store is on the disk at the end"),
                Goal("refused", 1, MANY, "a store is refused with SIGBUS"),
                Goal("lost", 0, 0, "no page is lost"),
            ),
            "ext4 promises a block before it lets a store through. How many blocks can it promise?",
            "ltp-mmap16",
        ),
        Challenge(
            "full-and-nothing-lost",
            "A full disk, and nothing lost",
            "On 2.6.9, store into two holes through a mapping. At the end the disk is full, and has both letters.",
            "linux-2.6.9",
            "ext2",
            (
                Goal("durable", 2, MANY, "two stores are on the disk at the end"),
                Goal("lost", 0, 0, "no page is lost"),
                Goal("free", 0, 0, "no block is free at the end"),
            ),
            "2.6.9 finds a block when it writes. Who has to come first?",
            "root-reserve",
        ),
    )
}


def measures(trace: Trace, page_size: int) -> dict[str, int]:
    """What challenges count, at the end of a run; a lost store counts with each page that it reaches into."""
    lost = [store for store in trace.stores if store.fate == "lost"]
    final = trace.state_at(len(trace.steps))
    return {
        "lost": len(
            {
                (store.file, page)
                for store in lost
                for page in range(store.start // page_size, -(-store.stop // page_size))
            }
        ),
        "told": sum(store.told is not None for store in lost),
        "refused": sum(store.refused == "SIGBUS" for store in trace.stores),
        "durable": sum(store.fate == "durable" for store in trace.stores),
        "lied": int(trace.outcome == "lost-lied"),
        "free": int(final.get("fs.free") or 0),
    }


def judge(challenge: Challenge, scenario: Scenario, trace: Trace) -> Iterator[Found]:
    """Each goal with what came of it; first, that the run is on the challenge's filesystem, and came to its end."""
    kind = scenario.filesystem.type
    yield Found(f"the filesystem is {challenge.filesystem}", kind == challenge.filesystem, 0)
    if not trace.complete:
        yield Found("the run comes to its end", met=False, count=len(trace.steps))
    counted = measures(trace, scenario.machine.page_size)
    for goal in challenge.goals:
        count = counted[goal.measure]
        yield Found(goal.says, goal.least <= count <= goal.most, count)
