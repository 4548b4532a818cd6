"""Which of our filesystems a row's is, or why it is none of them."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]
Step = dict[str, Any]


class LeftOut(Exception):
    """A row, or a step of it, that our language cannot say; the text is the reason."""


LEFT_OUT_FS = {
    "overlay": "overlayfs is not simulated",
    "nilfs2": "nilfs2 is not simulated",
    "f2fs": "f2fs is not simulated",
}


def filesystem(row: Row) -> str:
    """The name of a row's filesystem here. Raises LeftOut."""
    fs = row["fs"]
    if reason := _why_not(row):
        raise LeftOut(reason)
    kind, mount = str(fs["type"]), str(fs.get("mount", ""))
    eager = "nodelalloc" in mount or "data=journal" in mount
    if kind in ("ext2", "ext3") or _files_are(row, "block_mapped"):
        return _block_mapped(fs, eager=eager)
    if kind == "ext4":
        spare = fs.get("reserved_clusters", 0)
        return "ext4-nodelalloc" if eager else "ext4" if spare is None else "ext4-resv0"
    if kind == "btrfs":
        in_place = fs.get("nocow") or "nodatacow" in mount or _files_are(row, "nocow")
        return "btrfs-nodatacow" if in_place else "btrfs"
    if kind in ("exfat", "hfs"):
        return "vfat"  # filesystems without holes take the space when a file grows, all of them (rule 11)
    return _fuse(fs) if kind == "fuse" else kind


def _files_are(row: Row, kind: str) -> bool:
    """Whether a row's files are of a kind that mkfile can make. Raises LeftOut where only some of them are."""
    made = [bool(step.get(kind)) for step in row["steps"] if step["op"] == "mkfile"]
    if any(made) and not all(made):
        raise LeftOut(f"files that are {kind} beside others are not simulated")
    return any(made)


def _why_not(row: Row) -> str:
    """The reason to leave a filesystem out; empty if there is none."""
    fs = row["fs"]
    if fs["type"] in LEFT_OUT_FS:
        return LEFT_OUT_FS[fs["type"]]
    below = fs.get("backing", {"kind": "file"})["kind"]
    if below in ("thin", "snapshot"):
        return f"the chunks of a dm-{below} device are not simulated"
    if below == "tmpfs" and not any(step["op"] == "thin_fill" for step in row["steps"]):
        return "how much of a small device mkfs has taken is not simulated"
    feature = next((name for name in ("inline_data", "bigalloc") if name in str(fs.get("mkfs"))), "")
    if feature:
        return f"ext4's {feature} is not simulated"
    return "huge pages are not simulated" if "huge" in str(fs.get("mount")) else ""


def _block_mapped(fs: Row, *, eager: bool) -> str:
    if fs.get("driver") == "ext2":
        return "ext2"
    if not eager:
        raise LeftOut("delayed allocation of block-mapped files is not simulated")
    return "ext2-by-ext4" if fs["type"] == "ext2" else "ext3"


def _fuse(fs: Row) -> str:
    if fs.get("errno"):
        raise LeftOut("a FUSE daemon that answers with an errno of its own is not simulated")
    if fs.get("short"):
        return "fuse-short"
    if fs.get("writeback"):
        return "fuse-writeback"
    return "fuse" if fs.get("keep_cache") else "fuse-nokeep"
