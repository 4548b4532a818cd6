"""What a search can be asked about a scenario: properties by name, each with a sentence and its source.

`always`: it holds in every run, whoever runs when. `sometimes`: there is a run in which it happens. A property is
judged at the end of a run, in every state, or at the step that does what it is about. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.errors import EngineError, suggestion
from engine.fates import CLEAN_UNSAVED, LOST, MATTERS, byte_fate, pieces
from engine.journal import zobrist
from engine.properties import INVARIANTS
from engine.telling import Told, fate_of, hears, stores
from engine.values import EDQUOT, ENOSPC, SIGBUS

if TYPE_CHECKING:
    from engine.journal import Write
    from engine.machine import Machine, StoreRecord
    from engine.objects.mapping import Inode

ALWAYS, SOMETIMES = "always", "sometimes"
ANSWERS = (".result", ".refused", ".signal")
"""The cells by which a program, or whoever looks at it, learns something."""
ABOUT = (*MATTERS, *ANSWERS, ".file", ".start", ".stop", ".names", ".vmas", ".line", ".locked", ".index", ".private",
         ".unwritten")  # fmt: skip
"""What an answer speaks of, and the fates of that."""


@dataclass(frozen=True, slots=True)
class Property:
    """A question with an answer for every run. Each judge says in words what it has found, or nothing.

    `fields` are those of the cells that the judges of states and steps depend on; `listens`: it matters who was told;
    `rests`: it also matters who is in the middle of a call.
    """

    id: str
    mode: str
    sentence: str
    source: str
    at_end: Callable[[Machine, Told], str] | None = None
    at_state: Callable[[Machine], str] | None = None
    at_step: Callable[[Machine, tuple[Write, ...], Told], str] | None = None
    fields: tuple[str, ...] = ()
    listens: bool = False
    rests: bool = False

    def shows(self, at: str, old: Any, new: Any) -> int:
        """What a write changes in the key of all that its judges depend on; 0: nothing."""
        if at.endswith(self.fields):
            return zobrist(at, old) ^ zobrist(at, new)
        if self.rests and at.endswith(".stack") and (old is None) != (new is None):
            return zobrist(at, "in a call")
        return 0


class UnknownProperty(EngineError):
    """There is no property of that name."""

    def __init__(self, name: str) -> None:
        """The cure names what was probably meant."""
        super().__init__(f"there is no property {name!r}", where="property", cure=suggestion(name, PROPERTIES))


def find_property(name: str) -> Property:
    """A property by its id. Raises UnknownProperty with what was probably meant."""
    if name not in PROPERTIES:
        raise UnknownProperty(name)
    return PROPERTIES[name]


# -- what is kept -----------------------------------------------------------------------------------------------------


def _lost(k: Machine, _told: Told) -> str:
    gone = {fate: _places(k, fate) for fate in (LOST, CLEAN_UNSAVED)}
    said = [f"the bytes of {gone[LOST]} are gone"] if gone[LOST] else []
    if gone[CLEAN_UNSAVED]:
        said.append(f"the bytes of {gone[CLEAN_UNSAVED]} are in memory alone, and nothing will write them")
    return "; ".join(said)


def _places(k: Machine, fate: str) -> str:
    """The pages with bytes of that fate: `page 1 of f and page 2 of f`."""
    found = [(file, piece) for file in k.oracles for piece in pieces(k, file) if byte_fate(k, file, piece) == fate]
    return " and ".join(dict.fromkeys(f"page {piece.start // k.page_size} of {file}" for file, piece in found))


def _untold(k: Machine, told: Told) -> str:
    found = [
        name for name, record in stores(k) if name not in told and fate_of(k, name, record) in (LOST, CLEAN_UNSAVED)
    ]
    if not found:
        return ""
    which = f"stores {' and '.join(found)} are" if found[1:] else f"store {found[0]} is"
    return f"{which} not on the disk, and nobody was told"


def _vouched(k: Machine, writes: tuple[Write, ...], told: Told) -> str:
    _, lied = hears(k, writes, told)
    return f"a call has answered 0, and store {lied[0]} is not on the disk" if lied else ""


# -- what is refused --------------------------------------------------------------------------------------------------


def _needless(k: Machine, writes: tuple[Write, ...], _told: Told) -> str:
    for at, _, new in writes:
        if at.startswith("store/") and at.endswith(".refused") and new in (SIGBUS, ENOSPC, EDQUOT):
            name = at[len("store/") : -len(".refused")]
            record = k.stores[f"store/{name}"]
            if record.file is not None and _had_room(k, name, record):
                return f"store {name} was refused with {new}, and there was room for it"
    return ""


def _had_room(k: Machine, name: str, record: StoreRecord) -> bool:
    """Whether the file reaches so far, and every block that the refused bytes lack could be had now."""
    file = record.file or ""
    inode, task = k.inodes[file], k.tasks[name.rpartition(".")[0]]
    if k.disk.inodes[file].bad is not None or record.stop > inode.size or k.kind.in_memory:
        return False
    wanted = _missing(k, inode, record)
    quota = k.quotas.get(inode.owner)
    if quota is not None and quota.refuses(wanted, k.clock.clock, privileged=task.privileged):
        return False
    return wanted <= k.space.allowed(privileged=task.privileged)


def _missing(k: Machine, inode: Inode, record: StoreRecord) -> int:
    """How many blocks a store lacks, index blocks among them; what delayed allocation has promised is there."""
    done = sum(stop - start for start, stop in record.accepted or ())
    blocks = range((record.start + done) // k.block_size, -(-record.stop // k.block_size))
    paths = {
        k.map.path(i)[: depth + 1]
        for i in blocks
        if not inode.delayed[i]
        for depth in range(len(k.map.chain(inode, i)), len(k.map.path(i)))
    }
    return len(paths)


def _sigbus(k: Machine, writes: tuple[Write, ...], _told: Told) -> str:
    del k
    hit = next((at for at, _, new in writes if at.endswith((".refused", ".signal")) and new == SIGBUS), "")
    name = hit.partition("/")[2].rpartition(".")[0]
    return f"{'store' if hit.startswith('store') else 'task'} {name} gets SIGBUS" if hit else ""


# -- what holds in every state ----------------------------------------------------------------------------------------


def _private(k: Machine) -> str:
    own = {name for name, record in stores(k) if record.file is None}
    if not own:
        return ""
    cached = (k.page(pfn).content for mapping in k.mappings.values() for _, pfn in mapping.pages.items())
    on_disk = (data for _, data in k.disk.data.items())
    found = {run.store for data in (*cached, *on_disk) for run in data.runs} & own
    return f"the private bytes of store {min(found)} are in a file" if found else ""


def _unbalanced(k: Machine) -> str:
    return next((f"{found.found}: {found.wanted}" for found in INVARIANTS["I3"].check(k)), "")


def _dangling(k: Machine) -> str:
    for mm in k.mms.values():
        for vpn, entry in mm.pte.items():
            if entry.pfn and not k.page(entry.pfn).count:
                return f"the entry {vpn:#x} of {mm.process} points to frame {entry.pfn}, which is free"
    return ""


_ALL = (
    Property(
        "no-loss", ALWAYS, "No accepted byte is lost.",
        "kernel-facts 7.1, I6", at_end=_lost,
    ),
    Property(
        "no-loss-untold", ALWAYS, "No byte is lost without anybody being told.",
        "kernel-facts 1a.14, 1a.15", at_end=_untold, fields=ABOUT, listens=True,
    ),
    Property(
        "no-false-refusal", ALWAYS, "No store is refused for which there is room.",
        "kernel-facts 1b, false SIGBUS", at_step=_needless,
        fields=(*ANSWERS, ".free", ".owner", ".pointer", ".size", ".used", ".delalloc", ".promised", ".delayed",
                ".accepted", ".expires", ".clock", ".bad", ".pool", ".file", ".start", ".stop", ".hard", ".soft",
                ".reserved"),
    ),
    Property(
        "no-private-byte", ALWAYS, "No private byte comes into a file.",
        "kernel-facts 1b, copy-on-write", at_state=_private,
        fields=(".data", ".page", ".accepted", ".refused", ".file"),
    ),
    Property(
        "accounts-balance", ALWAYS, "Each block is free or somebody's, and quota counts what files have.",
        "kernel-facts 7.1, I3", at_state=_unbalanced,
        fields=(".free", ".owner", ".total", ".pointer", ".blocks", ".used", ".delalloc", ".promised", ".delayed",
                ".indlen", ".vmas", ".sharers"),
        rests=True,
    ),
    Property(
        "no-dangling-entry", ALWAYS, "No entry of a page table points to a free frame.",
        "kernel-facts 7.1, I1", at_state=_dangling, fields=(".entry", ".count"),
    ),
    Property(
        "sync-means-durable", ALWAYS, "What msync() or fsync() answers 0 for is on the disk.",
        "kernel-facts 1a.9, H3", at_step=_vouched, fields=ABOUT, listens=True,
    ),
    Property(
        "somebody-gets-sigbus", SOMETIMES, "Somebody gets SIGBUS.",
        "kernel-facts 1c.5", at_step=_sigbus, fields=ANSWERS,
    ),
)  # fmt: skip

PROPERTIES: dict[str, Property] = {each.id: each for each in _ALL}
DEFAULT = "no-loss"
