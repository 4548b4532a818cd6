"""Cells, locks and fates in words a reader knows: `pte A[2]`, `page_table_lock`, `PWUAD · frame 7`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from app.cast import Cast
from app.cells import Value, bytes_of, entry_of, letters
from engine import FateChange, Kernel

FATE_WORDS = {"at-risk": "at risk", "clean-unsaved": "clean, unsaved"}
LENGTH = 40

_QUIET = re.compile(
    r"^(task/|oracle/|machine\.|line/|store/|ram\.|mm/[^/.]+\.(names|users|mmap_sem|page_table_lock|dying)|"
    r"cpu/\d+\.mm|page/\d+\.(locked|lru|referenced|active)|inode/[^/.]+\.(i_sem|i_lock|dirty_pages)|mapping/[^/.]+\.(invalidate_lock|i_mmap_lock)|fd/[^/]+\.opened)"
)
_TELLING = ("mm/", "page/", "inode/", "disk/", "disk.", "mapping/", "block/", "quota/", "fs", "index/", "cpu/")


_NAMES = tuple(
    (re.compile(pattern), form)
    for pattern, form in (
        (r"mm/(?P<mm>[^/]+)/pte/(?P<vpn>0x[0-9a-f]+)\..+", "pte {mm}[{page}]"),
        (r"mm/(?P<mm>[^/]+)/(?P<level>pgd|pud|pmd)/(?P<way>[\d/]+)\..+", "{level} {mm}[{way}]"),
        (r"mm/(?P<mm>[^/.]+)\.(?P<field>.+)", "{field} of {mm}"),
        (r"cpu/(?P<cpu>\d+)/tlb/.+", "TLB cpu {cpu}"),
        (r"page/(?P<pfn>\d+)/bh/(?P<i>\d+)\.(?P<field>.+)", "frame {pfn}, buffer {i} {field}"),
        (r"page/(?P<pfn>\d+)\.(?P<field>.+)", "frame {pfn} {field}"),
        (r"mapping/(?P<file>[^/]+)/(?P<index>\d+)\.page", "page cache {file}[{index}]"),
        (r"mapping/(?P<file>[^/]+)/(?P<index>\d+)\.(?P<tag>.+)", "page cache {file}[{index}] tag {tag}"),
        (r"mapping/(?P<file>[^/.]+)\.wb_err", "error noted for {file}"),
        (r"mapping/(?P<file>[^/.]+)\.(?P<field>.+)", "mapping of {file} {field}"),
        (r"fd/(?P<task>[^/]+?)\.(?P<file>[^/.]+)\.since", "error that {task} has heard of {file}"),
        (r"fd/(?P<task>[^/]+?)\.(?P<file>[^/.]+)\.(?P<field>.+)", "{file} as {task} opened it, {field}"),
        (r"mm/(?P<mm>[^/]+)/promise/(?P<vpn>0x[0-9a-f]+)\..+", "promised to {mm}[{page}]"),
        (r"inode/(?P<file>[^/]+)/block/-1\.pointer", "leaf of {file}'s extents"),
        (r"inode/(?P<file>[^/]+)/block/(?P<slot>\d+)\.pointer", "inode {file}[{slot}]"),
        (r"inode/(?P<file>[^/]+)/block/(?P<slot>-?\d+)\.(?P<field>.+)", "inode {file}[{slot}] {field}"),
        (r"disk/inode/(?P<file>[^/.]+)\.(?P<field>.+)", "inode {file} on disk {field}"),
        (r"disk/(?P<block>\d+)\.present", "a place below for disk block {block}"),
        (r"disk/(?P<block>\d+)\..+", "disk block {block}"),
        (r"disk\.room", "room in the device below"),
        (r"disk\.broken", "the disk takes nothing"),
        (r"block/(?P<block>\d+)\..+", "block {block}"),
        (r"quota/(?P<user>[^/.]+)\.(?P<field>.+)", "quota of {user} {field}"),
        (r"fs\.delalloc", "promised blocks"),
        (r"fs\.down", "the filesystem is shut down"),
        (r"fs\.aborted", "the journal is aborted"),
        (r"fs\.readonly", "the filesystem is read-only"),
        (r"fs\.(?P<field>.+)", "{field} blocks"),
    )
)
"""What cells are called: an address, and the words for it."""


@lru_cache(maxsize=8192)
def is_quiet(at: str) -> bool:
    """Whether a cell is told elsewhere on the page (script, locks, fates), or not worth a line."""
    return _QUIET.match(at) is not None


def name_of(at: str, cast: Cast) -> str:
    """A cell in words."""
    for pattern, form in _NAMES:
        if match := pattern.fullmatch(at):
            said = match.groupdict()
            if "vpn" in said:
                said["page"] = _index(cast, said["mm"], int(said["vpn"], 16))
            return form.format(**said)
    return at.replace("/", " ").replace(".", " ")


def _index(cast: Cast, mm: str, vpn: int) -> str:
    """The page of a mapping as the picture numbers it."""
    pages = (page for mapping in cast.mappings if mapping.mm == mm for page in mapping.pages)
    return next((str(index) for shown, index in pages if shown == vpn), f"{vpn:#x}")


def brief(at: str, value: Value) -> str:
    """A cell's value in a few characters."""
    if value is None:
        return "none"
    if value is True:
        return "set"
    if at.endswith(".data"):
        return "zeroes" if value == "." else letters(bytes_of(value, 1 << 16))
    if at.endswith(".entry") and "pfn=" in str(value) and (entry := entry_of(value)):
        return f"{entry.bits} · frame {entry.pfn}"
    text = f"frame {value}" if at.endswith(".page") else str(value)
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def pair(was: str, now: str) -> tuple[str, str]:
    """Before and after without the end they have in common, such as the frame of an entry."""
    first, _, end = was.partition(" · ")
    return (first, now.partition(" · ")[0]) if end and now.endswith(f" · {end}") else (was, now)


@lru_cache(maxsize=8192)
def weight(at: str) -> int:
    """What to tell first: the smaller, the more telling."""
    if at.endswith(".page"):
        return 1  # what the page cache holds says more than the page's own fields
    rank = next((i for i, start in enumerate(_TELLING) if at.startswith(start)), len(_TELLING))
    return (
        rank
        + (15 if "/bh/" in at else 0)
        + (20 if at.endswith((".count", ".mapcount", ".rss", ".nrpages", ".private", ".index", ".mapping")) else 0)
    )


@dataclass(frozen=True, eq=False)
class Names:
    """What a kernel calls locks and tasks that the engine knows by the names of 2.6.9."""

    locks: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)

    def lock(self, name: str) -> str:
        """`mmap_lock` for `mmap_sem`, where the kernel says so."""
        return self.locks.get(name, name)

    def task(self, name: str) -> str:
        """`flusher` for `pdflush`, where the kernel says so."""
        return self.tasks.get(name, name)


def names_in(kernel: Kernel) -> Names:
    """The names of a kernel. pdflush went with 2.6.32; who writes back since is called the flusher."""
    return Names(kernel.lock_names, {"pdflush": "flusher"} if "wb_writeback" in kernel.functions else {})


@lru_cache(maxsize=4096)
def lock_name(at: str, names: Names) -> str:
    """A held lock in words: `page_table_lock`, `f.i_sem`, `frame 1 locked`, `mmap_sem, shared`."""
    entity, _, field = at.removesuffix(":r").rpartition(".")
    kind, _, of = entity.partition("/")
    page = f"{names.lock('locked')} of frame {of}" if "locked" in names.locks else f"frame {of} locked"
    name = {"page": page, "mm": names.lock(field)}.get(kind, f"{of}.{names.lock(field)}")
    return f"{name}, shared" if at.endswith(":r") else name


def fate_sentence(change: FateChange) -> str:
    """`Store A.3 is now at risk: the only copy is in memory ...`."""
    why = str(change.why or "").strip()
    return f"Store {change.store} is now {FATE_WORDS.get(change.new, change.new)}{': ' + why if why else '.'}"


def place_of(kernel: Kernel, function: str) -> tuple[str, str]:
    """(heading, where) of a function: the file of the real source, or that it is none."""
    source = str(getattr(kernel.functions.get(function), "source", ""))
    if found := re.search(r"[\w./-]+\.[chS]\b", source):
        return "Kernel", found[0]
    if source.startswith("no kernel"):
        return "Kernel", "left open by the mail"
    return ("Hardware", "the CPU") if source.startswith("the CPU") else ("Outside", "not kernel code")
