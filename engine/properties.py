"""What holds at every step: the invariants I1 to I6 of kernel-facts 7.1, each with a sentence and its source.

An invariant is made of clauses. A clause is judged only where it can be: counts that change under a spinlock when
nobody has it, and what somebody may hold in the middle of a call when nobody is in one. Nothing here writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from engine.fates import GREEN, alarm
from engine.function import LAYOUTS
from engine.locking import place
from engine.objects.locks import SPIN
from engine.objects.page import ANON
from engine.trace import Violation

if TYPE_CHECKING:
    from engine.machine import Machine
    from engine.objects.mm import Mm, Vma
    from engine.objects.page import Page
    from engine.values import Pte


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. `judged` says whether it can be made now; it can change only when one of these fields does."""

    find: Callable[[Machine], Iterator[Violation]]
    fields: frozenset[str]
    judged: Callable[[Machine], bool]


@dataclass(frozen=True, slots=True)
class Invariant:
    """What must hold: its id in the facts, a sentence for the page, where it comes from."""

    id: str
    sentence: str
    source: str
    clauses: tuple[Clause, ...]

    def check(self, machine: Machine) -> list[Violation]:
        """Every place where it does not hold now, as far as that can be said now."""
        judged = (clause for clause in self.clauses if clause.judged(machine))
        return [violation for clause in judged for violation in clause.find(machine)]


def violations(machine: Machine) -> list[Violation]:
    """Every place where any invariant does not hold now."""
    return [violation for invariant in INVARIANTS.values() for violation in invariant.check(machine)]


# -- when a clause can be judged --------------------------------------------------------------------------------------


def always(machine: Machine) -> bool:
    """At every step."""
    del machine
    return True


def is_quiet(machine: Machine) -> bool:
    """Whether no task is inside the kernel."""
    return all(task.stack is None for task in machine.tasks.values())


def is_unlocked(machine: Machine) -> bool:
    """Whether nobody is changing a page table: entry, mapcount and rss change together under page_table_lock."""
    return all(mm.page_table_lock.holder is None for mm in machine.mms.values())


def can_promise(machine: Machine) -> bool:
    """Whether kernel and filesystem say that a page that can be stored to has its place on the disk."""
    return machine.ops.promises


# -- I1: counts -------------------------------------------------------------------------------------------------------


class Claims(NamedTuple):
    """Who holds a page: the cache, so many entries, its buffers."""

    cache: bool
    entries: int
    buffers: bool


def _entries(machine: Machine) -> Iterator[tuple[Mm, int, Pte]]:
    for mm in machine.mms.values():
        for vpn, entry in mm.pte.items():
            yield mm, vpn, entry


def _claims(machine: Machine) -> Iterator[tuple[Page, int, Claims]]:
    """Every frame in use but ZERO_PAGE, how often it is counted, and who is known to hold it."""
    cached = {pfn for mapping in machine.mappings.values() for _, pfn in mapping.pages.items()}
    pointing = Counter(entry.pfn for _, _, entry in _entries(machine))
    for page in machine.ram.pages[1:]:
        count, pfn = page.count or 0, page.pfn
        if count or pfn in pointing or pfn in cached:
            yield page, count, Claims(pfn in cached, pointing[pfn], bool(page.private))


def _count_too_small(machine: Machine) -> Iterator[Violation]:
    for page, count, claims in _claims(machine):
        if count < sum(claims):
            found = f"{name(page)} is counted {times(count)}" if count else f"{name(page)} is free"
            yield Violation("I1", f"{page}.count", found, f"{said(claims)} it")


def _count_too_large(machine: Machine) -> Iterator[Violation]:
    for page, count, claims in _claims(machine):
        if count > sum(claims):
            yield Violation("I1", f"{page}.count", f"{name(page)} is counted {times(count)}", f"{said(claims)} it")


def _mapcount(machine: Machine) -> Iterator[Violation]:
    pointing = Counter(entry.pfn for _, _, entry in _entries(machine))
    for page in machine.ram.pages[1:]:
        if page.count and (page.mapcount or 0) + 1 != pointing[page.pfn]:
            counted, entries = times((page.mapcount or 0) + 1), many(pointing[page.pfn], "entry", "entries")
            found = f"{name(page)} is counted {counted} for {entries}"
            yield Violation("I1", f"{page}.mapcount", found, "each entry that points at it counts once")


def _rss(machine: Machine) -> Iterator[Violation]:
    for mm in machine.mms.values():
        entries = sum(entry.pfn != 0 for _, entry in mm.pte.items())
        if (mm.rss or 0) != entries:
            found = f"rss of {mm.process} is {mm.rss or 0} with {many(entries, 'page', 'pages')} mapped"
            yield Violation("I1", f"{mm}.rss", found, f"it should be {entries}")


# -- I2: tags ---------------------------------------------------------------------------------------------------------


def _tags(machine: Machine) -> Iterator[Violation]:
    for mapping in machine.mappings.values():
        for index, pfn in mapping.pages.items():
            page = machine.page(pfn)
            dirty, under_way = bool(mapping.tag_dirty[index]), bool(mapping.tag_writeback[index])
            if page.locked.holder is None and dirty != bool(page.dirty):
                yield _tag(page, mapping.tag_dirty.at(index), "DIRTY", "dirty", tagged=dirty)
            if under_way != bool(page.writeback):
                yield _tag(page, mapping.tag_writeback.at(index), "WRITEBACK", "under writeback", tagged=under_way)


def _tag(page: Page, at: str, tag: str, state: str, *, tagged: bool) -> Violation:
    wrong = f"has the tag {tag} and is not {state}" if tagged else f"is {state} and has no tag"
    return Violation("I2", at, f"{name(page)} {wrong}", "writers find pages by their tags, so tag and page agree")


# -- I3: accounts -----------------------------------------------------------------------------------------------------


def _blocks(machine: Machine) -> Iterator[Violation]:
    space = machine.space
    owned = sum(1 for _ in space.owner)
    if space.free + owned != space.total:
        found = f"{space.free} blocks are free and {owned} have an owner, of {space.total}"
        yield Violation("I3", "fs.free", found, "each block is one or the other")


def _files(machine: Machine) -> Iterator[Violation]:
    for file, inode in machine.inodes.items():
        known = [machine.map.chain(inode, iblock)[-1] for iblock in machine.map.mapped(inode)]
        known += [index.block for index in machine.map.index_blocks(inode)]
        owned = [*machine.space.owned_by(file), *machine.space.owned_by(f"{file}:index")]
        for block in sorted(set(known) ^ set(owned)):
            leads, belongs = f"the map of {file} leads to block {block}", f"block {block} belongs to {file}"
            found, wanted = (leads, "it is not its own") if block in known else (belongs, "its map does not lead there")
            yield Violation("I3", f"block/{block}.owner", found, wanted)
        if (inode.blocks or 0) != len(known):
            found = f"{file} counts {many(inode.blocks or 0, 'block', 'blocks')}"
            yield Violation("I3", f"{inode}.blocks", found, f"its map leads to {len(known)}")


def _quotas(machine: Machine) -> Iterator[Violation]:
    for user, quota in machine.quotas.items():
        blocks = sum(inode.blocks or 0 for inode in machine.inodes.values() if inode.owner == user)
        if quota.used != blocks:
            found = f"{user} is charged for {many(quota.used, 'block', 'blocks')}"
            yield Violation("I3", f"{quota}.used", found, f"the files of {user} have {blocks}")


def _promises(machine: Machine) -> Iterator[Violation]:
    """What is promised is what pages wait for (delayed allocation), or what mmap() was told."""
    owed, metadata = Counter[str](), 0
    for inode in machine.inodes.values():
        owed[inode.owner] += sum(1 for _ in inode.delayed)
        metadata += inode.indlen or 0
    for owner, blocks in _told_by_mmap(machine):
        owed[owner] += blocks
    promised, wanted = machine.space.delalloc or 0, owed.total() + metadata
    if promised != wanted:
        found = f"{many(promised, 'block', 'blocks')} promised"
        yield Violation("I3", "fs.delalloc", found, f"{many(wanted, 'block', 'blocks')} waited for")
    for user, quota in machine.quotas.items():
        if not owed[user] <= (quota.promised or 0) <= owed[user] + owed[NOBODY]:
            found = f"{quota.promised or 0} of the quota of {user} promised"
            yield Violation("I3", f"{quota}.promised", found, f"{many(owed[user], 'block', 'blocks')} waited for")


NOBODY = ""
"""Whose the promises are of a range that mmap() has not linked yet."""


def _told_by_mmap(machine: Machine) -> Iterator[tuple[str, int]]:
    """Whose quota stands for it, and how many blocks mmap() was promised for a page."""
    for mm in machine.mms.values():
        for vpn, blocks in mm.promised.items():
            vma = mm.find_vma(vpn)
            yield NOBODY if vma is None or vma.file is None else machine.inodes[vma.file].owner, blocks


# -- I4: promises -----------------------------------------------------------------------------------------------------


def _homes(machine: Machine) -> Iterator[Violation]:
    for mm, vpn, entry in _entries(machine):
        vma = mm.find_vma(vpn) if entry.write else None
        if vma is not None and vma.reaches_file and not mm.promised[vpn]:
            yield from _homeless(machine, mm, vma, vpn)


def _homeless(machine: Machine, mm: Mm, vma: Vma, vpn: int) -> Iterator[Violation]:
    file, index = vma.file or "", vma.index(vpn)
    inode, first = machine.inodes[file], index * machine.blocks_per_page
    end = min(first + machine.blocks_per_page, -(-inode.size // machine.block_size))
    lacks = sum(not inode.delayed[i] and machine.map.lookup(inode, i) is None for i in range(first, end))
    if lacks and lacks > len(machine.space.owned_by(file)) - len(machine.map.mapped(inode)):
        found = f"page {index} of {file} can be stored to and has no place on the disk"
        yield Violation("I4", mm.pte.at(vpn), found, "what may be stored has its blocks allocated or promised")


# -- I5: sleep --------------------------------------------------------------------------------------------------------


def _sleepers(machine: Machine) -> Iterator[Violation]:
    for task in machine.tasks.values():
        stack, locks = task.stack, task.locks
        if not locks:
            continue
        spinning = [held for held in locks if place(held)[1] == SPIN]
        if stack is None:
            found = f"{task.task} is between two lines of its script and holds {locks[0]}"
            yield Violation("I5", f"{task}.locks", found, "whoever leaves the kernel holds nothing")
        elif spinning and LAYOUTS[stack[0]].steps[stack[1]].may_sleep:
            found = f"{stack[0].c_name} may sleep at {stack[1]}, and {task.task} holds {spinning[0]}"
            yield Violation("I5", f"{task}.locks", found, "nobody sleeps under a spinlock")


# -- I6: data ---------------------------------------------------------------------------------------------------------


def _alarms(machine: Machine) -> Iterator[Violation]:
    for file, oracle in machine.oracles.items():
        level, found = alarm(machine, file)
        if level != GREEN:
            yield Violation("I6", f"{oracle}.data", found, "what was accepted is on the disk or on its way", level)


# -- words ------------------------------------------------------------------------------------------------------------


def name(page: Page) -> str:
    """`page 2 of f`, or `frame 5` where no file has it."""
    return f"frame {page.pfn}" if page.mapping in (None, ANON) else f"page {page.index} of {page.mapping}"


def times(number: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def many(number: int, one: str, more: str) -> str:
    """`no block`, `one block`, `3 blocks`."""
    return f"{('no', 'one')[number]} {one}" if number in (0, 1) else f"{number} {more}"


def said(claims: Claims) -> str:
    """Who holds a page: `the page cache, 2 entries and its buffers hold`."""
    words = ["the page cache"] * claims.cache
    words += [many(claims.entries, "entry", "entries")] * bool(claims.entries) + ["its buffers"] * claims.buffers
    if not words:
        return "nobody holds"
    joined = ", ".join(words[:-1]) + (" and " if words[1:] else "") + words[-1]
    return f"{joined} {'hold' if words[1:] or claims.entries > 1 else 'holds'}"


# -- the table --------------------------------------------------------------------------------------------------------

_HELD = frozenset(("count", "entry", "page", "private"))
_WRITTEN = frozenset(
    ("data", "dirty", "writeback", "entry", "page", "pointer", "pointers", "delayed", "size", "uptodate", "locked",
     "enospc", "eio", "wb_err")
)  # fmt: skip

_ALL = (
    Invariant(
        "I1", "A page is counted once for the page cache, each entry and its buffers; rss counts the entries.",
        "include/linux/mm.h, mm/rmap.c; kernel-facts 7.1",
        (
            Clause(_count_too_small, _HELD, always),
            Clause(_count_too_large, _HELD, is_quiet),
            Clause(_mapcount, frozenset(("mapcount", "entry", "count")), is_unlocked),
            Clause(_rss, frozenset(("rss", "entry")), is_unlocked),
        ),
    ),
    Invariant(
        "I2", "The page cache tags a page as dirty, or under writeback, when it is, unless somebody has it locked.",
        "mm/page-writeback.c, fs/buffer.c; kernel-facts 7.1",
        (Clause(_tags, frozenset(("dirty", "writeback", "page", "locked")), always),),
    ),
    Invariant(
        "I3", "Each block is free or somebody's; quota counts the blocks of files; each promise is waited for.",
        "fs/ext2/balloc.c, fs/dquot.c, fs/ext4/inode.c; kernel-facts 7.1",
        (
            Clause(_blocks, frozenset(("free", "owner", "total")), always),
            Clause(_files, frozenset(("owner", "pointer", "blocks")), is_quiet),
            Clause(_quotas, frozenset(("used", "blocks")), is_quiet),
            Clause(_promises, frozenset(("delalloc", "promised", "delayed", "indlen", "blocks", "vmas")), always),
        ),
    ),
    Invariant(
        "I4", "A page of a file that can be stored to has its place on the disk, allocated or promised.",
        "mm/memory.c page_mkwrite; kernel-facts 1c.5, 7.1",
        (Clause(_homes, frozenset(("entry", "pointer", "delayed", "size", "vmas", "blocks")), can_promise),),
    ),
    Invariant(
        "I5", "Nobody sleeps while holding a spinlock, and no lock is held between two lines of a script.",
        "include/linux/kernel.h might_sleep; kernel-facts 7.1",
        (Clause(_sleepers, frozenset(("stack", "locks")), always),),
    ),
    Invariant(
        "I6", "A byte that was accepted is on the disk or on its way. Yellow: it is neither, and the error waits for "
        "somebody to ask; orange: it has been asked for; red: the byte is gone.",
        "the data-loss oracle; kernel-facts 1a.14, 7.1",
        (Clause(_alarms, _WRITTEN, always),),
    ),
)  # fmt: skip

INVARIANTS: dict[str, Invariant] = {invariant.id: invariant for invariant in _ALL}
