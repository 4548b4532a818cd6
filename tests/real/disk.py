"""The disk of a row on this machine: a file with a filesystem in it, mounted through a loop device, and its competitor.

Exactly N blocks are left like this: one-block files are made first, the rest is filled, and N of the files are removed.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.real.filesystems import Row, Step

SPARE = 40
SIZES = {"xfs": 320, "btrfs": 128}
"""MiB, where 16 are too few."""
KNOWN = ("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs")
Space = dict[str, int]


def run(*command: object) -> str:
    """What a command prints. Raises CalledProcessError."""
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout.strip()


class Disk:
    """`root` is where it is mounted. Numbers of blocks are of the filesystem's blocks."""

    def __init__(self, fs: Row, folder: Path) -> None:
        """Make the filesystem and mount it."""
        self.fs, self.folder, self.root, self.loop = fs, folder, folder / "root", ""
        self.kind: str = fs["type"]
        self.image = folder / "image"
        self.taken: list[Path] = []
        self.spare: list[Path] = []
        self.root.mkdir()
        self.pool = self._pool(fs.get("backing", {}))
        if self.kind != "tmpfs":
            self._make()
        self.mount()
        (self.root / ".ballast").mkdir()

    def _pool(self, backing: Row) -> Path | None:
        """A tmpfs too small for the image: the device below that has less than it says."""
        if backing.get("kind") != "tmpfs":
            return None
        pool = self.folder / "pool"
        pool.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={backing['kb']}k", "none", pool)
        self.image = pool / "image"
        return pool

    def _make(self) -> None:
        block, more = self.fs.get("block", 4096), self.fs.get("mkfs", ())
        with self.image.open("wb") as image:
            image.truncate(self.fs.get("mb", SIZES.get(self.kind, 16)) << 20)
        if self.kind == "xfs":
            run("mkfs.xfs", "-q", "-f", "-b", f"size={block}", *more, self.image)
        elif self.kind == "btrfs":
            run("mkfs.btrfs", "-q", "-f", *more, self.image)
        else:
            reserved = ("-m", self.fs.get("reserved_pct", 0))
            run(f"mkfs.{self.kind}", "-q", "-F", "-b", block, *reserved, *more, self.image)

    @property
    def driver(self) -> str:
        """The filesystem's name for mount(2): the ext4 driver has the old formats too."""
        native = self.fs.get("driver") == "ext2" or self.kind not in ("ext2", "ext3")
        return self.kind if native else "ext4"

    def mount(self) -> None:
        """Mount it; ext4's pool of spare blocks is set as the row says."""
        options = str(self.fs.get("mount", "defaults"))
        if self.kind == "tmpfs":
            run("mount", "-t", "tmpfs", "-o", options, "none", self.root)
        else:
            self.loop = run("losetup", "--find", "--show", self.image)
            run("mount", "-t", self.driver, "-o", options, self.loop, self.root)
        self.root.chmod(0o777)
        if self.driver == "ext4" and (spare := self.fs.get("reserved_clusters", 0)) is not None:
            Path(f"/sys/fs/ext4/{Path(self.loop).name}/reserved_clusters").write_text(str(spare))

    def umount(self) -> None:
        """Unmount it."""
        run("umount", self.root)
        if self.loop:
            run("losetup", "--detach", self.loop)
            self.loop = ""

    def power_fails(self) -> None:
        """What has not reached the image is gone. Nobody may use it any more."""
        after = self.folder / "after"
        run("cp", "--sparse=always", self.image, after)
        self.umount()
        run("cp", "--sparse=always", after, self.image)
        self.mount()

    def close(self) -> None:
        """Unmount it, whatever stands in the way."""
        _insist(self.root, self.umount)
        if self.pool is not None:
            _insist(self.pool, lambda: run("umount", self.pool))

    def space(self, files: list[str]) -> Row:
        """Free blocks, and what each file has in sectors. Looking at the files first makes tmpfs count again."""
        sectors = {name: (self.root / name).stat().st_blocks for name in files}
        now = os.statvfs(self.root)
        return {"free": now.f_bfree, "avail": now.f_bavail, "st_blocks": sectors}

    # -- the competitor -----------------------------------------------------------------------------------------------

    def fill(self, step: Step) -> Row:
        """Take all blocks but `leave`."""
        leave, block = int(step.get("leave", 0)), os.statvfs(self.root).f_bsize
        names = [self.root / ".ballast" / f"{number:03}" for number in range(leave + SPARE)]
        for name in names:
            name.touch()
        os.sync()
        self.taken, self.spare = names[: leave + 12], names[leave + 12 :]
        for name in self.taken:
            name.write_bytes(b"x" * block)
        os.sync()
        self._take_the_rest(block, step.get("uid", 0))
        for _ in range(leave):
            self.taken.pop().unlink()
        os.sync()
        while self.kind.startswith("ext") and not step.get("uid") and os.statvfs(self.root).f_bavail > leave:
            if self.take({"blocks": 1})["got"] == 0:
                break
        return {}

    def _take_the_rest(self, block: int, uid: int) -> None:
        child = os.fork()
        if child:
            os.waitpid(child, 0)
            os.sync()
            return
        try:
            os.setresuid(uid, uid, uid)
            file, at, size = os.open(self.root / ".rest", os.O_CREAT | os.O_RDWR, 0o666), 0, 1 << 20
            while size >= block:
                try:
                    done = os.pwrite(file, b"x" * size, at)
                    at += done
                    os.fsync(file)
                except OSError:
                    done = 0
                size = size if done == size else size // 2
        finally:
            os._exit(0)

    def thin_fill(self) -> None:
        """What is below is full: nothing that was never written can be written any more."""
        assert self.pool is not None
        os.sync()
        with (self.pool / "other").open("wb", buffering=0) as other, suppress(OSError):
            while other.write(b"x" * 4096):
                pass

    def thin_free(self) -> None:
        """Below there is room again."""
        assert self.pool is not None
        (self.pool / "other").unlink()

    def free(self, step: Step) -> Row:
        """Give blocks back."""
        for _ in range(step["blocks"]):
            self.taken.pop().unlink()
        return {}

    def take(self, step: Step) -> Row:
        """Take blocks, one after the other."""
        block, got = os.statvfs(self.root).f_bsize, 0
        for _ in range(step["blocks"]):
            name = self.spare.pop()
            try:
                with name.open("r+b", buffering=0) as file:
                    file.write(b"x" * block)
            except OSError:
                break
            self.taken.append(name)
            got += 1
        return {"got": got}


def _insist(place: Path, umount: Callable[[], object]) -> None:
    for _ in range(20):
        with suppress(subprocess.CalledProcessError):
            umount()
            return
        if not os.path.ismount(place):
            return
        time.sleep(0.1)
