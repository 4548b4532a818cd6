"""Where everything in the picture stands. Pure geometry: what a run touches, to places; no state, no markup.

The picture is drawn in a space WIDTH units wide. Data flows from left to right: address space, TLB, page table, page
cache, file's blocks, disk. A page of a file is one row; every page, entry and block the run will ever touch has its
place from the first step on, so nothing moves when something appears.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

WIDTH = 792
PITCH = 54
TOP = 38
HEAD = 38
FOOT = 28
GAP = 22
MAX_ROWS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """One column: a heading, the frame around its tiles (x, width), and a tile (x, width, height) within."""

    title: str
    x: int
    width: int
    tile_x: int
    tile_width: int
    tile_height: int

    @property
    def right(self) -> int:
        """Where edges leave a tile."""
        return self.tile_x + self.tile_width

    @property
    def middle(self) -> float:
        """The centre of a tile."""
        return self.tile_x + self.tile_width / 2


SPACE = Column("Address space", 12, 124, 22, 104, 42)
TLB = Column("TLB", 144, 44, 146, 40, 22)
PGD = Column("Page table", 198, 48, 204, 36, 26)
PTE = Column("", 262, 96, 269, 82, 42)
CACHE = Column("Page cache", 402, 134, 402, 134, 46)
BLOCKS = Column("File → blocks", 578, 92, 587, 74, 34)
DISK = Column("Disk", 708, 74, 708, 74, 34)
COLUMNS = (SPACE, TLB, PGD, CACHE, BLOCKS, DISK)


@dataclass(frozen=True, slots=True)
class Mapping:
    """What is known of a mapping before it is placed: whose, from where, which pages are shown, what stands behind."""

    mm: str
    name: str
    title: str
    note: str
    hue: int
    file: str | None
    pages: tuple[tuple[int, int], ...]
    """(virtual page number, index in the file or in the mapping) of each page shown."""
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """What is known of a file before it is placed: which of its pages are shown."""

    name: str
    title: str
    hue: int
    indices: tuple[int, ...]
    hidden: int = 0
    index_blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One page in a band: its key in addresses, the label to print, and the middle of the row."""

    key: str
    label: str
    y: float


@dataclass(frozen=True, slots=True)
class Band:
    """A mapping, a file or the loose frames, placed: a head, rows, a foot."""

    key: str
    title: str
    note: str
    hue: int
    y: float
    height: float
    rows: tuple[Row, ...]
    hidden: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """A way data or a translation can take. `d` is an SVG path; `at` the cell that says whether it is taken."""

    at: str
    d: str
    middle: tuple[float, float] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Point:
    """A place for a small thing: `at` is the cell that says whether it is there."""

    at: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scene:
    """The picture's places."""

    height: float
    mappings: tuple[Band, ...]
    files: tuple[Band, ...]
    loose: Band | None
    edges: tuple[Edge, ...] = field(default=())
    spots: tuple[Point, ...] = field(default=())
    """Where the token stands: on the way to the entry (v), to the frame (p), to the block (b), to the disk (d)."""
    holds: tuple[Point, ...] = field(default=())
    """The locks of address spaces, page tables and inodes, each at the corner of what it guards."""

    width: int = WIDTH


def lay_out(
    mappings: Sequence[Mapping],
    files: Sequence[File],
    loose: Sequence[str],
    targets: Iterable[tuple[str, str, str]] = (),
) -> Scene:
    """Place mappings beside the files behind them, files one below the other, loose frames last.

    Args:
        mappings: in the order of their making.
        files: in the order of the scenario.
        loose: keys of frames that are, at some step, mapped without being in the page cache.
        targets: (mm, page number as in addresses, key of a page cache slot such as "f/2" or of a loose frame) for
            every translation that ever exists.
    """
    left, right, end = _place(mappings, files)
    band = _loose(loose, _below(right)) if loose else None
    bottom = max([end, *([band.y + band.height] if band else [])])
    edges = tuple(_edges(left, right, band, targets))
    return Scene(
        bottom + 10,
        tuple(left),
        tuple(right),
        band,
        edges,
        tuple(_spots(left, right, edges)),
        tuple(_holds(left, right)),
    )


def _place(mappings: Sequence[Mapping], files: Sequence[File]) -> tuple[list[Band], list[Band], float]:
    """Each file beside the first mapping of it; further mappings below; anonymous mappings last."""
    left: list[Band] = []
    right: list[Band] = []
    y = float(TOP)
    for file in files:
        right.append(_file(file, y))
        low = y
        for mapping in (mapping for mapping in mappings if mapping.file == file.name):
            left.append(_mapping(mapping, low))
            low += left[-1].height + GAP
        y = max(low, _below(right))
    for mapping in (mapping for mapping in mappings if mapping.file not in {file.name for file in files}):
        left.append(_mapping(mapping, y))
        y += left[-1].height + GAP
    return left, right, y - GAP


def _below(bands: Sequence[Band]) -> float:
    return bands[-1].y + bands[-1].height + GAP if bands else float(TOP)


def _mapping(mapping: Mapping, y: float) -> Band:
    rows = _rows(y, [(f"{vpn:#x}", str(index)) for vpn, index in mapping.pages])
    return Band(mapping.mm, mapping.title, mapping.note, mapping.hue, y, _height(rows), rows, mapping.hidden)


def _file(file: File, y: float) -> Band:
    rows = _rows(y, [(str(index), str(index)) for index in file.indices])
    return Band(file.name, file.title, "", file.hue, y, _height(rows), rows, file.hidden)


def _loose(frames: Sequence[str], y: float) -> Band:
    rows = _rows(y, [(frame, frame) for frame in frames])
    return Band("loose", "not in the page cache", "", 0, y, _height(rows), rows)


def _rows(y: float, pages: Sequence[tuple[str, str]]) -> tuple[Row, ...]:
    """Pages as (key, label), one below the other under the head of a band at y."""
    first = y + HEAD + (PITCH - 8) / 2
    return tuple(Row(key, label, first + PITCH * place) for place, (key, label) in enumerate(pages))


def _height(rows: Sequence[Row]) -> float:
    return HEAD + PITCH * len(rows) + FOOT - 8


def _edges(
    left: Sequence[Band], right: Sequence[Band], loose: Band | None, targets: Iterable[tuple[str, str, str]]
) -> Iterator[Edge]:
    """Edges from tile to tile: page to entry, entry to frame, frame to block, block to disk."""
    entries = {(band.key, row.key): row.y for band in left for row in band.rows}
    frames = {f"{band.key}/{row.key}": row.y for band in right for row in band.rows}
    frames |= {row.key: row.y for row in (loose.rows if loose else ())}
    for (mm, vpn), y in entries.items():
        yield Edge(f"edge/v/{mm}/{vpn}", f"M{SPACE.right} {y:g}H{PTE.tile_x}")
    for mm, vpn, frame in targets:
        if (mm, vpn) in entries and frame in frames:
            y1, y2 = entries[mm, vpn], frames[frame]
            middle = ((PTE.right + CACHE.tile_x) / 2, (y1 + y2) / 2)
            yield Edge(f"edge/p/{mm}/{vpn}/{frame}", _curve(PTE.right, y1, CACHE.tile_x, y2), middle)
    for band in right:
        for row in band.rows:
            yield Edge(f"edge/b/{band.key}/{row.key}", f"M{CACHE.right} {row.y:g}H{BLOCKS.tile_x}")
            yield Edge(f"edge/d/{band.key}/{row.key}", f"M{BLOCKS.right} {row.y:g}H{DISK.tile_x}")


def _spots(left: Sequence[Band], right: Sequence[Band], edges: Sequence[Edge]) -> Iterator[Point]:
    """The places of the token: on the lines, clear of the tiles; from an empty entry no line leads anywhere yet."""
    for edge in edges:
        if edge.at.startswith("edge/p/"):
            yield Point(f"spot/{edge.at.removeprefix('edge/')}", *edge.middle)
    for band in left:
        for row in band.rows:
            yield Point(f"spot/v/{band.key}/{row.key}", (TLB.right + PGD.x) / 2, row.y)
            yield Point(f"spot/p/{band.key}/{row.key}", (PTE.right + CACHE.tile_x) / 2, row.y)
    for band in right:
        for row in band.rows:
            yield Point(f"spot/b/{band.key}/{row.key}", (CACHE.right + BLOCKS.x) / 2, row.y)
            yield Point(f"spot/d/{band.key}/{row.key}", (BLOCKS.x + BLOCKS.width + DISK.x) / 2, row.y)


def _holds(left: Sequence[Band], right: Sequence[Band]) -> Iterator[Point]:
    """The places of the locks: a memory's two stand at its first mapping, a file's one at its inode."""
    for band in {band.key: band for band in reversed(left)}.values():
        yield Point(f"hold/mm/{band.key}.mmap_sem", SPACE.x + SPACE.width, band.y)
        yield Point(f"hold/mm/{band.key}.page_table_lock", PTE.x + PTE.width, band.y)
    for band in right:
        yield Point(f"hold/inode/{band.key}.i_sem", BLOCKS.x + BLOCKS.width, band.y)


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    """A straight line where it can be, else an S."""
    if y1 == y2:
        return f"M{x1:g} {y1:g}H{x2:g}"
    middle = (x1 + x2) / 2
    return f"M{x1:g} {y1:g}C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"
