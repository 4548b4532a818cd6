"""Where our simulator and a real kernel differ on a row: a sentence for each difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine import Trace
from tests.real.filesystems import Row
from tests.real.observe import VERDICTS, Seen
from tests.real.translate import MOST_FREE, spread

UNJOURNALLED = ("ext2", "minix", "udf")
"""After a power cut these mount with the counters they had: what is free then is not said by their superblock."""
STRICT, RESULTS, LOOSE = 1, 2, 3


def differences(row: Row, kernel: str, trace: Trace, seen: list[Seen]) -> list[str]:
    """What does not agree, as far as the row's tier asks."""
    observed: Row = row["observed"][kernel]
    tier: int = row["tier"]
    found = list(_verdict(row, observed, trace))
    if tier == LOOSE:
        return found
    forked = any(step["op"] == "fork" for step in row["steps"])
    crashed = filled = False
    for theirs, ours in zip(observed["steps"], seen, strict=False):
        filled = filled or ours.step["op"] == "fill"
        crashed = crashed or ours.step["op"] == "crash"
        check = Check(row, theirs, ours)
        found += check.results()
        if tier == STRICT:
            found += [*check.contents(), *check.entries(), *([] if forked else check.faults())]
            if (filled or theirs.get("free", 0) < MOST_FREE) and not (crashed and row["fs"]["type"] in UNJOURNALLED):
                found += check.space()
    return found


def _verdict(row: Row, observed: Row, trace: Trace) -> Iterator[str]:
    wanted = observed["verdict"]
    said = VERDICTS[trace.outcome]
    if wanted == "PERSISTED" and row["fs"]["type"] == "tmpfs":
        wanted = "ACCEPTED"  # a page of tmpfs is as safe as it can be, and no disk ever has it
    # Theirs knows one error for the whole row; ours asks of each store whether somebody said 0 of it.
    same = {
        "LOST-REPORTED": ("LOST-REPORTED", "LOST-LIED"),
        "PRIVATE": ("PERSISTED",),
        "NO-STORE": ("PERSISTED",),
        "ACCEPTED": ("ACCEPTED", "PERSISTED"),
    }
    if said not in same.get(wanted, (wanted,)):
        yield f"verdict {wanted}, ours {said}"


class Check:
    """One step: what they saw and what we saw."""

    def __init__(self, row: Row, theirs: Row, ours: Seen) -> None:
        self.row, self.theirs, self.ours = row, theirs, ours
        self.op = ours.step["op"]
        self.touches = {touch["page"]: touch for touch in ours.values["touches"]}

    def _said(self, what: str, wanted: Any, said: Any) -> str:
        return f"step {self.theirs['i']} {self.op}: {what} {wanted}, ours {said}"

    def results(self) -> Iterator[str]:
        """What each touch, or the whole call, came to."""
        if self.op == "race":
            all_ours = sorted(touch["r"] for touch in self.ours.values["touches"])
            if all_ours != self.theirs["sorted"]:
                yield self._said("results", self.theirs["sorted"], all_ours)
        elif "page" in self.theirs and self.op in ("load", "store", "pwrite"):
            yield from self._touches()
        elif self.op in ("msync", "fsync", "fdatasync", "syncfs", "close", "munmap", "fallocate", "punch", "truncate"):
            ours = self._result()
            if ours != self.theirs["result"]:
                yield self._said("result", self.theirs["result"], ours)
        elif self.op == "take":
            got = sum(touch["r"] == "0" for touch in self.ours.values["touches"])
            if got != self.theirs["got"]:
                yield self._said("got", self.theirs["got"], got)

    def _touches(self) -> Iterator[str]:
        for group in self.theirs["page"]:
            for page in spread(group["pages"]):
                said = self.touches[page]["r"]
                if str(group["r"]) != said:
                    yield self._said(f"page {page}", group["r"], said)

    def _result(self) -> str:
        results = [touch["r"] for touch in self.ours.values["touches"]]
        bad = next((result for result in results if result not in ("0", "ok")), None)
        return "ok" if bad is None else str(bad)

    def faults(self) -> Iterator[str]:
        """How many faults each accepted touch took."""
        for group in self.theirs.get("page", ()) if self.op in ("load", "store") else ():
            for page in spread(group["pages"]):
                if group["r"] == "ok" and group.get("flt") != self.touches[page]["flt"]:
                    yield self._said(f"faults of page {page}", group.get("flt"), self.touches[page]["flt"])

    def contents(self) -> Iterator[str]:
        """What was read."""
        if self.op == "load":
            for group in self.theirs["page"]:
                for page in spread(group["pages"]):
                    if "seen" in group and group["seen"] != self.touches[page].get("seen"):
                        yield self._said(f"page {page} reads", group["seen"], self.touches[page].get("seen"))
        elif "seen" in self.theirs:
            for text, pages in self.theirs["seen"].items():
                for page in spread(pages):
                    ours = self._reads(page)
                    if ours != text:
                        yield self._said(f"page {page} reads", text, ours)
        if self.op == "look" and self.theirs.get("size") != self.ours.values.get("size"):
            yield self._said("size", self.theirs.get("size"), self.ours.values.get("size"))

    def _reads(self, page: int) -> str:
        if self.op == "peek":
            return str(self.ours.values["seen"].get(page) or ".")
        return str(self.touches.get(page, {}).get("seen"))

    def entries(self) -> Iterator[str]:
        """The entries of the mapping."""
        theirs, ours = self.theirs.get("pte"), self.ours.values["pte"]
        if theirs is None or ours is None:
            return
        if isinstance(theirs, dict):
            for letter, pages in theirs.items():
                for page in spread(pages):
                    if ours[page] != letter:
                        yield self._said(f"entry of page {page}", letter, ours[page])
        elif theirs != ours:
            yield self._said("entries", theirs, ours)

    def space(self) -> Iterator[str]:
        """Free blocks, and the blocks of each file."""
        for key in ("free", "avail"):
            if self.theirs.get(key) != self.ours.values[key]:
                yield self._said(key, self.theirs.get(key), self.ours.values[key])
        for file, count in (self.theirs.get("st_blocks") or {}).items():
            if count != self.ours.values["st_blocks"].get(file):
                yield self._said(f"st_blocks of {file}", count, self.ours.values["st_blocks"].get(file))
