"""Files that share blocks. Expected: programs run on Linux 6.18, XFS with reflink=1 and btrfs on loop devices, and kernel-facts 5.

Real runs had a full disk by a filler file; here `fill` is somebody else's ballast.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine import KERNELS, build
from engine.properties import violations
from engine.run import Driver, Limits
from tests.engine.build import Told, make, play

SIX = ("linux-6.1", "linux-6.18")
BOTH = ("xfs", "btrfs")
TWO = {"0P": "a", "1P": "b"}
FILES = {"g": {"owner": "alice", "size": "0"}}
MAP_G = "m = mmap(g, 2P, READ|WRITE, SHARED)"
CLONE, FULL = "clone(g, f)", "fill(x)"

pytestmark = pytest.mark.parametrize("kernel", SIX)


def alone(kernel: str, kind: str, script: Sequence[str], **world: object) -> Told:
    """One program, a file `f` of two pages, an empty file `g`; every invariant but that of the data is watched."""
    world = {"data": TWO, "size": "2P", "files": FILES, "type": kind, **world}
    scenario = make({"A": {"script": list(script), "on_sigbus": "next"}}, **world)  # type: ignore[arg-type]  # a world
    driver = Driver(build(scenario, KERNELS[kernel]), scenario.default_schedule())
    driver.run(Limits())
    assert [str(v) for v in violations(driver.machine) if v.invariant != "I6"] == []
    return play({"A": {"script": list(script), "on_sigbus": "next"}}, kernel, **world)  # type: ignore[arg-type]  # a world


@pytest.mark.parametrize("kind", BOTH)
def test_a_clone_takes_no_block_and_counts_as_if_it_did(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, [CLONE, "x = pread(g, 2, 1P)"])
    assert told.results("A") == ["0", "bb"]
    assert {at: told.end[at] for at in ("fs.free", "inode/f.blocks", "inode/g.blocks", "block/1.owner", "block/1.sharers")} == {
        "fs.free": 14, "inode/f.blocks": 2, "inode/g.blocks": 2, "block/1.owner": "f", "block/1.sharers": "g"}  # fmt: skip


@pytest.mark.parametrize("kind", BOTH)
def test_what_is_dirty_in_the_source_is_written_first(kernel: str, kind: str) -> None:
    told = alone(
        kernel,
        kind,
        ['pwrite(f, "D" * 1P, 0)', CLONE, "x = pread(g, 2, 0)", "sync()", "power_fails()", "y = pread(g, 2, 0)"],
    )
    assert told.results("A")[1:3] == ["0", "DD"]
    assert told.result("A", 6) == "DD"


@pytest.mark.parametrize("kind", BOTH)
def test_no_file_is_a_clone_of_itself_and_no_cut_block_goes_into_the_middle(kernel: str, kind: str) -> None:
    told = alone(
        kernel, kind, ["clone(f, f)", "ftruncate(g, 2P)", "ftruncate(f, 1P+100)", CLONE, "ftruncate(g, 0)", CLONE]
    )
    assert told.results("A") == ["EINVAL", "0", "0", "EINVAL", "0", "0"]
    assert told.end["inode/g.size"] == 4096 + 100


@pytest.mark.parametrize("kind", BOTH)
def test_a_shorter_source_leaves_the_rest_of_the_destination(kernel: str, kind: str) -> None:
    told = alone(
        kernel,
        kind,
        [CLONE, "ftruncate(f, 1P)", 'pwrite(f, "s" * 1P, 0)', CLONE, "x = pread(g, 1, 0)", "y = pread(g, 1, 1P)"],
    )
    assert told.results("A")[3:] == ["0", "s", "b"]


@pytest.mark.parametrize("kind", BOTH)
def test_on_a_full_disk_a_store_into_a_shared_block_is_refused(kernel: str, kind: str) -> None:
    told = alone(
        kernel,
        kind,
        [
            CLONE,
            FULL,
            MAP_G,
            'm[0] = "X"',
            "msync(m, SYNC)",
            'pwrite(g, "W", 1P)',
            "x = pread(f, 1, 0)",
            "y = pread(g, 1, 0)",
        ],
    )
    assert told.results("A")[3:] == ["SIGBUS", "0", "ENOSPC", "a", "a"]


def test_generic_173_on_xfs_both_stores_die_until_the_clone_is_gone(kernel: str) -> None:
    told = alone(kernel, "xfs", [CLONE, FULL, MAP_G, 'm[0] = "X"', "munmap(m)", "remount()", "m = mmap(g, 2P, READ|WRITE, SHARED)", 'm[0] = "Y"',
                                 "ftruncate(f, 0)", 'm[0] = "Z"', "msync(m, SYNC)"])  # fmt: skip
    assert [told.result("A", n) for n in (4, 8, 9, 10, 11)] == ["SIGBUS", "SIGBUS", "0", "ok", "0"]
    assert told.stores["A.10"].fate == "durable"


def test_cloning_needs_no_block_and_an_unshared_one_is_written_in_place(kernel: str) -> None:
    told = alone(kernel, "xfs", [FULL, CLONE, "ftruncate(f, 0)", 'pwrite(g, "Y", 0)', "fsync(g)"])
    assert told.results("A") == ["0", "0", "0", "1", "0"]


def test_xfs_needs_a_block_to_zero_part_of_a_shared_one(kernel: str) -> None:
    told = alone(
        kernel,
        "xfs",
        [
            CLONE,
            FULL,
            "ftruncate(g, 1P+10)",
            "punch(g, 100, 200)",
            "punch(g, 1P, 1P)",
            "x = pread(f, 1, 1P)",
            "y = pread(g, 1, 1P)",
        ],
    )
    assert told.results("A")[2:] == ["ENOSPC", "ENOSPC", "0", "b", "."]
    assert told.end["inode/g.blocks"] == 1


@pytest.mark.parametrize("kind", BOTH)
def test_zeroes_and_cuts_in_a_clone_leave_the_other_alone(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, [CLONE, "zero(g, 0, 1P)", "punch(g, 1P+8, 8)", "ftruncate(g, 1P+100)", "fsync(g)", "power_fails()",
                                "x = pread(f, 1, 0)", "y = pread(f, 1, 1P+9)", "z = pread(g, 1, 0)", "w = pread(g, 10, 1P)"])  # fmt: skip
    assert told.results("A")[6:] == ["a", "b", ".", "bbbbbbbb.."]


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("length", ["1P", "512"])
def test_a_direct_write_goes_beside_a_shared_block(kernel: str, kind: str, length: str) -> None:
    told = alone(
        kernel,
        kind,
        [
            CLONE,
            "h = open(g, RDWR|DIRECT)",
            f'pwrite(h, "D" * {length}, 0)',
            "fsync(h)",
            "power_fails()",
            "x = pread(f, 1, 0)",
            "y = pread(g, 1, 0)",
        ],
    )
    assert told.results("A")[5:] == ["a", "D"]


@pytest.mark.parametrize("kind", BOTH)
def test_the_owner_of_a_clone_is_charged_for_all_of_it(kernel: str, kind: str) -> None:
    told = alone(kernel, kind, [CLONE, "ftruncate(f, 0)", CLONE], quota={"alice": {"hard": 3}})
    assert told.result("A", 1) == "EDQUOT"
    assert told.end["quota/alice.used"] == 0
