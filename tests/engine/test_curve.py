"""The loss curve: without room 2.6.9 loses and the corrected patch refuses, and with room for all everything is kept."""

from __future__ import annotations

import pytest

from engine import EngineError, Kernel, build, find_kernel, find_scenario, gallery
from engine.curve import BLOCKS, Point, curve
from engine.kernels import KERNELS
from tests.engine.build import CORRECTED, MAP, POSTED, STOCK, make

STORES = {"A": [MAP, 'm[1P] = "C"', 'm[2P] = "D"', "msync(m, SYNC)", "exit()"]}
TWO = make(STORES, blocks=8)
ABLE = [kernel.id for kernel in KERNELS.values() if "ext2" in kernel.filesystems]


def points(kernel: str | Kernel, most: int = 3, of: str = BLOCKS) -> list[Point]:
    return list(curve(TWO, kernel, of, most))


@pytest.mark.parametrize("kernel", ABLE)
def test_with_room_for_every_store_everything_is_kept(kernel: str) -> None:
    last = points(kernel)[-1]
    assert (last.room, last.kept, last.refused, last.lost, last.open) == (3, 2, 0, 0, 0)


def test_without_room_one_kernel_loses_and_the_other_refuses() -> None:
    # 7.2 rows 1 and 2: 2.6.9 asks nobody at the store; the corrected patch asks at the fault, and the task gets SIGBUS.
    stock, corrected = points(STOCK), points(CORRECTED)
    assert [point.lost for point in stock[:3]] == [2, 1, 0]
    assert all(point.refused == 0 for point in stock)
    assert all(point.lost == 0 for point in corrected)
    assert corrected[0].refused == 1  # and there it ends: the second store is never made
    assert all(point.needless == 0 for point in [*stock, *corrected, *points(POSTED)])


@pytest.mark.parametrize("name", ["zero-page", "root-reserve", "mail", "tmpfs-read", "xfstests-generic-446"])
def test_no_room_is_none_whatever_the_scenario_has(name: str) -> None:
    # A disk has one block at least, what is reserved is not for everybody, and a script may fill the disk itself.
    scenario = gallery()[name]
    kernel = next(each for each in KERNELS.values() if scenario.filesystem.type in each.filesystems)
    seen = [point.room for point in curve(scenario, kernel, most=2)]
    assert seen == [0, 1, 2]


def test_a_disk_that_nothing_is_on_is_full_all_the_same() -> None:
    empty = make(STORES, data={})
    first, _, last = curve(empty, STOCK, most=2)
    assert (first.kept, first.lost) == (0, 2)
    assert (last.kept, last.lost) == (2, 0)


def test_the_quota_of_a_user_is_varied_like_the_disk() -> None:
    # 1b.9: quota is charged with the block. 0 would be no limit, so that a user without blocks needs one to have none left.
    for data in ({}, {"0P": "a"}):
        limited = make(STORES, blocks=8, data=data, quota={"alice": {"hard": 4}})
        assert [point.lost for point in curve(limited, STOCK, "alice", 2)] == [2, 1, 0]


def test_a_users_quota_counts_that_users_blocks() -> None:
    others = {"g": {"owner": "root", "size": "2P", "data": {"0P": "x", "1P": "y"}}}
    limited = make(STORES, blocks=12, files=others, quota={"alice": {"hard": 4}})
    assert build(limited, find_kernel(STOCK)).quotas["alice"].used == 1
    assert [point.lost for point in curve(limited, STOCK, "alice", 2)] == [2, 1, 0]


def test_what_can_not_be_varied_is_named_with_a_cure() -> None:
    with pytest.raises(EngineError, match="'bob' has no quota here") as refused:
        list(curve(find_scenario("quota"), STOCK, "bob"))
    assert "alice" in refused.value.cure
