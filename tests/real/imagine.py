"""Random rows: programs that map sparse files and store to them on full disks, to be performed for real and by us."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.real.filesystems import Row, Step

FILESYSTEMS: tuple[Row, ...] = (
    {"type": "ext4", "mount": "nodelalloc"},
    {"type": "ext4", "block": 1024, "mount": "nodelalloc"},
    {"type": "ext4", "block": 2048, "mount": "nodelalloc"},
    {"type": "ext3", "mount": "nodelalloc"},
    {"type": "ext2", "mount": "nodelalloc"},
    {"type": "ext2", "block": 1024, "mount": "nodelalloc"},
    {"type": "ext2", "block": 2048, "mount": "nodelalloc"},
    {"type": "tmpfs", "mount": "size=256k"},
)
"""Those that always come to the same. Delayed allocation on a full disk writes early, when the flusher finds time."""
PARTS: tuple[Step, ...] = (
    {}, {}, {}, {"len": 1}, {"len": 1024}, {"len": 2048}, {"byte": 2048, "len": 2048}, {"byte": 2048, "len": 1},
    {"byte": 3000, "len": 1},
)  # fmt: skip
WISHES = (
    *["store"] * 8, *["load"] * 4, *["msync"] * 3, "kernel_store", "range", "fsync", "fdatasync", "pwrite", "pwrite",
    "pread", "truncate", "punch", "fallocate", "free", "take", "evict", "zap", "munmap", "sync", "populate", "fork",
)  # fmt: skip


def imagine(seed: int, filesystem: Row | None = None) -> Row:
    """The same row for the same seed."""
    random = Random(seed)  # noqa: S311 - rows, not secrets
    return _Row(random, dict(filesystem or random.choice(FILESYSTEMS))).made(f"imagined-{seed}")


@dataclass
class _Row:
    random: Random
    fs: Row
    steps: list[Step] = field(default_factory=list)
    maps: dict[str, str] = field(default_factory=dict)
    letter: int = 0
    pages: int = 0

    def made(self, name: str) -> Row:
        random = self.random
        self.pages = random.choice([3, 4, 6, 8])
        self._prepare()
        for _ in range(random.randint(3, 9)):
            self._add(random.choice(WISHES))
        known = all(step["op"] not in ("free", "take") for step in self.steps)  # what others committed nobody can say
        self.steps.append({"op": "crash" if known and self._is_on_disk and random.random() < 0.15 else "exit"})
        look: Step = {"op": "look", "file": "f"}
        self.steps += [look, {"op": "drop_caches"}, look]
        self.steps += [{"op": "remount"}, look] if self._is_on_disk else []
        return {"name": name, "group": "imagined", "about": "", "tier": 1, "fs": self.fs, "steps": self.steps}

    @property
    def _is_on_disk(self) -> bool:
        return bool(self.fs["type"] != "tmpfs")

    def _prepare(self) -> None:
        random = self.random
        data = {str(page): "abcdefgh"[page] for page in range(self.pages) if random.random() < 0.25}
        size = {"pages": self.pages}
        if random.random() < 0.25:
            size = {"bytes": self.pages * 4096 - random.choice([1, 100, 1024, 2048, 3000, 4000])}
        self.steps.append({"op": "mkfile", "file": "f", **size, **({"data": data} if data else {})})
        begin: list[Step] = [self._mapping("m", "A")]
        if random.random() < 0.85:
            begin.append({"op": "fill", "leave": random.randint(0, 6)})
        if random.random() < 0.3:
            begin.append(self._mapping("n", "C"))
        random.shuffle(begin)
        self.steps += begin

    def _mapping(self, name: str, process: str) -> Step:
        self.maps[name] = process
        step: Step = {"op": "mmap", "map": name, "file": "f", "proc": process}
        random = self.random
        step |= {"advise": "random"} if random.random() < 0.2 else {}
        return step | ({"share": "private"} if random.random() < 0.1 else {})

    def _some(self, most: int = 4) -> list[int]:
        count = self.random.randint(1, min(most, self.pages))
        return sorted(self.random.sample(range(self.pages), count))

    def _next_letter(self) -> str:
        self.letter += 1
        return "ABDEFGHIJKLMNOPQRSTUVWXYZ"[self.letter % 25]

    def _add(self, wish: str) -> None:
        filled = any(step["op"] == "fill" for step in self.steps)
        if (wish in ("free", "take") and not filled) or (wish == "fork" and "fork" in [s["op"] for s in self.steps]):
            return
        step = self._on_mapping(wish) or self._on_file(wish) or self._on_world(wish)
        self.steps += [step] if step else []

    def _on_mapping(self, wish: str) -> Step | None:
        random = self.random
        if not self.maps or wish not in (
            "store",
            "kernel_store",
            "load",
            "msync",
            "range",
            "zap",
            "munmap",
            "populate",
        ):
            return None
        name = random.choice(sorted(self.maps))
        step: Step = {"op": wish, "map": name, "pages": self._some()}
        if wish in ("store", "kernel_store"):
            by: dict[str, Any] = {"by": "kernel"} if wish == "kernel_store" else {}
            return step | {"op": "store", "fill": self._next_letter(), **by, **random.choice(PARTS)}
        if wish == "munmap":
            del self.maps[name]
        if wish in ("munmap", "msync"):
            return {"op": wish, "map": name}
        if wish == "populate":
            return step | {"pages": self._some(1), "for": random.choice(["read", "write"])}
        return step | {"op": "msync"} if wish == "range" else step

    def _on_file(self, wish: str) -> Step | None:
        random, pages = self.random, self._some()
        step: Step = {"op": wish, "file": "f"}
        if wish in ("fsync", "fdatasync"):
            return step
        if wish == "pwrite":
            return step | {"page": pages[0], "fill": self._next_letter(), **random.choice(PARTS)}
        if wish == "truncate":
            end = self.pages * 4096
            return step | {"bytes": random.choice([0, 1, 4096, 5000, 8192, end - 100, end, end + 4096])}
        if wish == "fallocate":
            more = {"mode": "keep"} if random.random() < 0.2 else {}
            return step | {"pages": list(range(pages[0], pages[-1] + 1)), **more}
        return step | {"pages": pages[:1] if wish == "punch" else pages} if wish in ("punch", "pread") else None

    def _on_world(self, wish: str) -> Step | None:
        if wish in ("free", "take"):
            return {"op": wish, "blocks": self.random.randint(1, 2)}
        if wish == "fork":
            return {"op": "fork", "child": "D"}
        return {"op": "drop_caches" if wish == "evict" else wish} if wish in ("evict", "sync") else None
