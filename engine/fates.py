"""What becomes of each store, byte by byte, and who was told.

The oracle (`oracle/f.data`) says which store every byte of a file ought to come from. A byte of a store is durable if
the disk leads to it; else it is judged by where its last copy is. A store's fate is that of its worst byte.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TYPE_CHECKING, Final

from engine.answering import concerned
from engine.judgement import Judgement
from engine.objects.task import DONE, KILLED
from engine.operations import Clone, Fallocate, Ftruncate, Mmap, Mprotect, Mremap, Zero
from engine.trace import Delta, FateChange, StoreInfo
from engine.values import EDQUOT, ENOSPC, OK, Run

if TYPE_CHECKING:
    from engine.journal import Write
    from engine.machine import Machine, StoreRecord
    from engine.objects.page import Page

DURABLE, BACKED, AT_RISK, CLEAN_UNSAVED, LOST = "durable", "backed", "at-risk", "clean-unsaved", "lost"
REFUSED, REPLACED, PRIVATE, LEAKED = "refused", "replaced", "private", "leaked"
GREEN, YELLOW, ORANGE, RED = "", "yellow", "orange", "red"
"""How near a file is to losing what was accepted for it; kernel-facts 7.1, I6."""
_KEPT: Final = (DURABLE, REPLACED, PRIVATE, LEAKED)
SETTLED: Final = (None, DURABLE, REPLACED, REFUSED, PRIVATE, LEAKED)
"""The fates of stores of which an answer says nothing: they are safe, or their program knows."""
_WORST: Final = (LOST, CLEAN_UNSAVED, AT_RISK, BACKED, DURABLE)

MATTERS: Final = (".data", ".dirty", ".uptodate", ".writeback", ".entry", ".page", ".pointer", ".pointers",
                    ".accepted", ".refused", ".size", ".result", ".cuts", ".power", ".delayed", ".down", ".failed",
                    ".room")  # fmt: skip
"""The cells that a fate can depend on, by their fields."""


def byte_fate(k: Machine, file: str, run: Run, dirty: Callable[[int], bool] | None = None) -> str:
    """The fate of bytes [run.start, run.stop) of a file, which lie in one block.

    `dirty` tells whether some page table has a frame's entry dirty; without it they are all looked through.
    """
    inode, iblock = k.inodes[file], run.start // k.block_size
    if k.kind.in_memory:
        return _fate_in_memory(k, file, run)
    on_disk = k.map.on_disk(k.disk, inode, iblock)
    if on_disk is not None and k.disk.inodes[file].size > run.start and _disk_holds(k, on_disk, run):
        return DURABLE
    block = k.map.lookup(inode, iblock)
    written = block is not None and not inode.failed[iblock] and _disk_holds(k, block, run)
    page = k.cached(k.mappings[file], run.start // k.page_size)
    if page is None or not _holds(page.content.runs, run, run.start // k.page_size * k.page_size):
        return BACKED if written or _arriving(k, file, run) else LOST
    part = iblock % k.blocks_per_page
    unwritten = _unwritten(k, file, page, part, dirty or k.has_dirty_entry)
    if not page.uptodate:
        return BACKED if written else AT_RISK if unwritten else LOST
    if unwritten or _under_way(k, page, run.store):
        homeless = block is None and not inode.delayed[iblock]
        return AT_RISK if homeless or k.space.down or not k.disk.could_take(block) else BACKED
    return BACKED if written else CLEAN_UNSAVED


def _fate_in_memory(k: Machine, file: str, run: Run) -> str:
    """The page cache is all there is: nothing is ever durable."""
    page = k.cached(k.mappings[file], run.start // k.page_size)
    kept = page is not None and _holds(page.content.runs, run, run.start // k.page_size * k.page_size)
    return BACKED if kept else LOST


def worst(fates: Collection[str]) -> str:
    """The fate of a store, given those of its bytes: none means that others have taken their place."""
    return next((fate for fate in _WORST if fate in fates), REPLACED)


def pieces(k: Machine, file: str, store: str | None = None) -> Iterator[Run]:
    """What a file ought to hold, of one store or of all, cut at block boundaries."""
    size = k.block_size
    for run in k.oracles[file].data.runs:
        if store in (None, run.store):
            for low in range(run.start // size * size, run.stop, size):
                yield run.cut(low, low + size)


def alarm(k: Machine, file: str) -> tuple[str, str]:
    """The level of alarm for a file, and the worst of its bytes in words.

    Yellow: bytes are neither on the disk nor on their way, and the error waits for somebody to ask. Orange: nobody who
    asks from now on will hear of it. Red: they are gone.
    """
    worst = {byte_fate(k, file, piece): piece.start for piece in pieces(k, file)}
    if LOST in worst:
        return RED, f"bytes of page {worst[LOST] // k.page_size} of {file} are gone"
    if CLEAN_UNSAVED not in worst:
        return GREEN, ""
    mapping, where = k.mappings[file], f"bytes of page {worst[CLEAN_UNSAVED] // k.page_size} of {file}"
    unseen = mapping.wb_err is not None and not mapping.wb_err.seen
    if mapping.enospc or mapping.eio or unseen:
        return YELLOW, f"{where} are in memory alone, and nobody has asked yet"
    return ORANGE, f"{where} are in memory alone, and no flag says so"


def loses(k: Machine) -> bool:
    """Whether an accepted byte is gone, or in memory alone with nobody left to write it."""
    return any(byte_fate(k, file, piece) in (LOST, CLEAN_UNSAVED) for file in k.oracles for piece in pieces(k, file))


def _disk_holds(k: Machine, block: int, run: Run) -> bool:
    return _holds(k.disk.read(block).runs, run, run.start // k.block_size * k.block_size)


def _holds(runs: tuple[Run, ...], wanted: Run, base: int) -> bool:
    """Whether some bytes, found at an offset, all come from the wanted store."""
    low, high = wanted.start - base, wanted.stop - base
    return sum(min(r.stop, high) - max(r.start, low) for r in runs
               if r.store == wanted.store and r.start < high and r.stop > low) == high - low  # fmt: skip


def _arriving(k: Machine, file: str, run: Run) -> bool:
    """Whether a direct write has put these bytes into a new block that the file is about to lead to."""
    new = (block for block, owner in k.space.owner.items() if owner == f"{file}:new")
    return any(_disk_holds(k, block, run) for block in new)


def _unwritten(k: Machine, file: str, page: Page, part: int, dirty: Callable[[int], bool]) -> bool:
    """Whether something still says that these bytes have to be written: page, tag, buffer, page table or TLB."""
    if page.dirty or page.writeback or k.mappings[file].tag_dirty[page.index or 0]:
        return True
    if page.private and page.bh[part].dirty:
        return True
    return dirty(page.pfn)


def _under_way(k: Machine, page: Page, store: str) -> bool:
    """Whether a write(2) has put its bytes into the page and has not come to commit_write yet."""
    name, _, line = store.rpartition(".")
    return page.locked.holder == name and bool(name) and k.tasks[name].line == int(line)


class Ledger:
    """Follows every store of a run. `update` is told of each step and says what it changed."""

    def __init__(self, k: Machine) -> None:
        self._k, self._judgement = k, Judgement(k, byte_fate)
        self.fates: dict[str, str] = {}
        self.told: dict[str, str] = {}
        self.lied: set[str] = set()
        self.cut: set[str] = set()

    def update(self, writes: list[Write]) -> tuple[tuple[FateChange, ...], tuple[Delta, ...]]:
        """The fates that this step changed, and the same as deltas of derived cells."""
        self._judgement.note(writes)
        if not any(at.endswith(MATTERS) for at, _, _ in writes):
            return (), ()
        power_cut = any(at in ("machine.cuts", "machine.power") for at, _, _ in writes)
        changes, deltas = [], []
        for name in self._judgement.due():
            record = self._k.stores[f"store/{name}"]
            fate = self._judge(name, record)
            old = self.fates.get(name)
            if fate is None or fate == old:
                continue
            self.fates[name] = fate
            if fate == LOST and power_cut:
                self.cut.add(name)
            changes.append(FateChange(name, old, fate, self._why(fate, record, old, power_cut=power_cut)))
            deltas.append((f"store/{name}.fate", old, fate))
        return tuple(changes), (*deltas, *self._tell(writes))

    @property
    def judged(self) -> int:
        """How often a piece of a store was judged: the work that this took."""
        return self._judgement.judged

    def _records(self) -> Iterator[tuple[str, StoreRecord]]:
        for name, record in self._k.stores.items():
            yield name.removeprefix("store/"), record

    def _judge(self, name: str, record: StoreRecord) -> str | None:
        accepted, refused = record.accepted, record.refused
        if not accepted:
            return REFUSED if refused else None
        if record.file is None:
            return LEAKED if self._in_a_file(name) else PRIVATE
        found = self._judgement.fates(name)
        return worst(found)

    def _in_a_file(self, name: str) -> bool:
        """Whether bytes of a private store are in a file's page or on the disk, where they must never be."""
        k = self._k
        cached = (k.page(pfn).content for mapping in k.mappings.values() for _, pfn in mapping.pages.items())
        on_disk = (data for _, data in k.disk.data.items())
        return any(run.store == name for data in (*cached, *on_disk) for run in data.runs)

    def _why(self, new: str, record: StoreRecord, old: str | None, *, power_cut: bool) -> str:
        """The reason of a fate, told of the first page of the store that has it: others may be better off."""
        at = self._first(record, new)
        page = at // self._k.page_size
        where = f"page {page}" if record.file is None else f"page {page} of {record.file}"
        if new in (LOST, CLEAN_UNSAVED) and not power_cut and (how := self._misplaced(record, at, new)):
            return how.format(where)
        if new == LOST:
            return "The power failed before the disk had it." if power_cut else (
                self._gone(record.file or "", page, old).format(where))  # fmt: skip
        if new == CLEAN_UNSAVED and not self._has_failed(record.file or "", page):
            return f"Nothing marks {where} as dirty, and the disk has other bytes: nobody will write them."
        if new == BACKED and self._k.kind.in_memory:
            return "It is in memory, which is all that this filesystem has."
        return {
            AT_RISK: f"The only copy is in memory: {self._risk(record.file or '', page, old).format(where)}.",
            BACKED: "The disk has these bytes; where they lie in the file is not written down yet."
            if self._is_written(record, at)
            else f"{where[0].upper()}{where[1:]} has a block or was promised one; the disk lacks these bytes yet.",
            DURABLE: "The disk has it, and the file on the disk leads to it.",
            CLEAN_UNSAVED: f"Writeback failed and {where} is marked clean: nothing will try again.",
            REFUSED: f"The kernel said no: {record.refused}. The program knows.",
            REPLACED: "Other bytes have taken its place, as the program wanted.",
            LEAKED: "A private store has reached the page of a file: copy-on-write is broken.",
            PRIVATE: "It is the process's own copy and was never meant for a file.",
        }[new]

    def _first(self, record: StoreRecord, fate: str) -> int:
        """The first byte of a store that has a fate; where the store begins, if the fate is that of no byte."""
        if record.file is None:
            return record.start
        parts = pieces(self._k, record.file, record.name.removeprefix("store/"))
        found = (part.start for part in parts if self._judgement.last(record.file, part) == fate)
        return next(found, record.start)

    def _misplaced(self, record: StoreRecord, at: int, new: str) -> str:
        """How the disk can have bytes that the file has not, with a place for where; empty if it has them not."""
        if self._is_unwritten(record, at):
            return "The disk has the bytes of {} in a block that counts as unwritten: zeroes are read from it."
        if not self._is_astray(record):
            return ""
        if new == LOST:
            return "Memory has let go of {}; its bytes are on the disk, and the file does not lead there."
        return "The bytes of {} are on the disk, but the file does not lead there any more."

    def _is_unwritten(self, record: StoreRecord, at: int) -> bool:
        """Whether a block has the bytes and counts as unwritten, for its first write has failed."""
        inode = self._k.inodes.get(record.file or "")
        return inode is not None and bool(inode.failed[at // self._k.block_size]) and self._is_written(record, at)

    def _is_astray(self, record: StoreRecord) -> bool:
        """Whether a block of the disk that the file has lost still holds the bytes."""
        name, inode = record.name.removeprefix("store/"), self._k.inodes[record.file or ""]
        ours = {self._k.map.lookup(inode, iblock) for iblock in self._k.map.mapped(inode)}
        held = (block for block, data in self._k.disk.data.items() if any(run.store == name for run in data.runs))
        return any(block not in ours for block in held)

    def _has_failed(self, file: str, index: int) -> bool:
        """Whether writeback met an error on a page, or on its file, or found no block for it, or the page is gone."""
        mapping = self._k.mappings[file]
        page = self._k.cached(mapping, index)
        if page is None or page.error or mapping.wb_err is not None:
            return True
        return bool(page.private) and any(bh.block is None for bh in page.bh)

    def _gone(self, file: str, index: int, old: str | None) -> str:
        """Why bytes are lost, with a place for where."""
        if old == DURABLE:
            return "The disk had these bytes of {}, and others were written over them."
        page = self._k.cached(self._k.mappings[file], index) if file else None
        if page is None:
            return "Memory has let go of {}, and the disk never had these bytes."
        how = "Other bytes have come into {}" if page.uptodate else "What memory has of {} counts as invalid"
        return how + ", and the disk never had these bytes."

    def _is_written(self, record: StoreRecord, at: int) -> bool:
        """Whether the block of byte `at` of a file has bytes of a store, on the disk."""
        if record.file is None:
            return False
        block = self._k.map.lookup(self._k.inodes[record.file], at // self._k.block_size)
        name = record.name.removeprefix("store/")
        return block is not None and any(run.store == name for run in self._k.disk.read(block).runs)

    def _risk(self, file: str, index: int, old: str | None) -> str:
        """Why a copy in memory is in danger, with a place for where."""
        if self._k.space.down or self._k.disk.room == 0:
            return "the filesystem is shut down" if self._k.space.down else "the device below has no room for {}"
        page = self._k.cached(self._k.mappings[file], index) if file else None
        if page is not None and not page.uptodate:
            return "whoever reads it next puts the disk's bytes over {}"
        if old == BACKED and self._has_unmapped(file):
            return "{} has been given its block, but the file does not lead there yet"
        vmas = [(mm, vma) for mm in self._k.mms.values() for vma in mm.vmas or () if vma.file == file]
        if any(mm.promised[vpn] for mm, vma in vmas if (vpn := vma.vpn(index)) is not None):
            return "no block stands behind {}, only a promise that ends with the mapping"
        if self._k.space.delalloc and not self._owed():
            return "no block stands behind {}, and the one that was promised was promised to nobody"
        return "no block stands behind {}"

    def _has_unmapped(self, file: str) -> bool:
        """Whether a block belongs to a file that its map does not lead to: it has just been taken."""
        inode = self._k.inodes[file]
        ours = {self._k.map.lookup(inode, iblock) for iblock in self._k.map.mapped(inode)}
        return any(owner in (file, f"{file}:new") and block not in ours for block, owner in self._k.space.owner.items())

    def _owed(self) -> bool:
        """Whether somebody is known to wait for a block that is promised: part of a file, or a mapping."""
        inodes, mms = self._k.inodes.values(), self._k.mms.values()
        return any([*inode.delayed] or inode.indlen for inode in inodes) or any([*mm.promised] for mm in mms)

    # -- who was told ---------------------------------------------------------------------------------------------

    def _tell(self, writes: list[Write]) -> Iterator[Delta]:
        for at, _, new in writes:
            if at.startswith("line/") and at.endswith(".result") and new is not None:
                yield from self._answered(at[5:-7], str(new))
            elif at.startswith("store/") and at.endswith(".refused"):
                yield from self._set_told(at[6:-8], str(new))

    def _answered(self, line: str, result: str) -> Iterator[Delta]:
        """A call has returned: an error tells of every store of that file that is not safe, a 0 promises for it."""
        for name, promised in concerned(self._k, line):
            if self.fates.get(name) in SETTLED:
                continue
            if result != OK:
                yield from self._set_told(name, f"{line}: {result}")
            elif promised and name not in self.told:
                self.lied.add(name)

    def _set_told(self, name: str, text: str) -> Iterator[Delta]:
        if name not in self.told:
            self.told[name] = text
            yield f"store/{name}.told", None, text

    # -- the end --------------------------------------------------------------------------------------------------

    def stores(self) -> tuple[StoreInfo, ...]:
        """What became of every store, in order of tasks and lines."""
        return tuple(
            StoreInfo(
                id=name,
                task=name.rpartition(".")[0],
                line=int(name.rpartition(".")[2]),
                file=record.file,
                start=record.start,
                stop=record.stop,
                text=record.text,
                accepted=sum(stop - start for start, stop in record.accepted or ()),
                refused=record.refused,
                fate=self.fates.get(name, ""),
                told=self.told.get(name),
            )
            for name, record in self._records()
        )

    def _refusals(self) -> bool:
        """Whether a call that asks for room was told that there is none."""
        asking, cells = (Mmap, Mprotect, Mremap, Ftruncate, Fallocate, Zero, Clone), self._k.journal.cells
        return any(
            cells.get(f"line/{task}.{line.number}.result") in (ENOSPC, EDQUOT)
            for task in self._k.scenario.tasks
            for line in self._k.scenario.lines(task)
            if isinstance(line.operation, asking)
        )

    def outcome(self) -> str:
        """The word for the whole run (DESIGN 2)."""
        lost = {name for name, fate in self.fates.items() if fate == LOST}
        silent = lost - set(self.told) - self.cut
        if lost & self.lied - set(self.told):
            return "lost-lied"
        if silent:
            return "lost-silent"
        if lost & set(self.told):
            return "lost-told"
        if lost:
            return "lost-unsynced"
        if REFUSED in self.fates.values() or any(record.refused for _, record in self._records()) or self._refusals():
            return "refused"
        return "kept" if all(f in _KEPT for f in self.fates.values()) else "open"

    def is_settled(self) -> bool:
        """Whether no program can store anything more, and no store's fate is open."""
        ended = all(self._k.tasks[name].state in (DONE, KILLED) for name in self._k.scenario.tasks)
        return ended and all(fate in (*_KEPT, REFUSED) for fate in self.fates.values())
