"""Maps: the way from a file to its blocks is the engine's, whatever the filesystem."""

import pytest

import engine
from app import maps
from app.disk import pages_on_disk
from app.orders import order
from engine.fs.blockmap import BlockMap, MinixMap
from engine.fs.extentmap import ExtentMap
from engine.journal import Journal
from tests.engine.build import MAP, make

FORMS = {"indirect": BlockMap, "minix": MinixMap, "extents": ExtentMap}
BLOCKS = (0, 6, 7, 11, 12, 13, 70, 267, 268, 269, 300, 5000, 66_000, 66_500)
Cells = dict[str, int | str | bool | None]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("block_size", [1024, 4096])
def test_the_way_to_a_block_is_the_engines(form: str, block_size: int) -> None:
    engines = FORMS[form](Journal(), block_size)
    for iblock in BLOCKS:
        way = maps.path(form, iblock, engines.per_block)
        assert way == engines.path(iblock), iblock
        assert maps.depth(form, way[0]) == engines.depth(way[0]) == len(way) - 1
        assert maps.path(form, maps.first(form, way[0], engines.per_block), engines.per_block)[0] == way[0]


@pytest.mark.parametrize("filesystem", ["ext2", "ext4", "ext4-nodelalloc", "minix", "xfs", "btrfs", "jfs"])
def test_what_is_kept_is_found_on_the_disk_of_every_filesystem(filesystem: str) -> None:
    scenario = make({"A": [MAP, 'm[2P] = "C"', "fsync(f)"]}, blocks=32, type=filesystem)
    trace = engine.run(scenario, "linux-6.18")
    assert trace.outcome == "kept"
    pages = pages_on_disk(trace.state_at(len(trace.steps)), scenario, "f")
    assert (pages[0], pages[2][:1]) == ("a", "C")


def test_a_leaf_of_metadata_is_no_page_of_the_file() -> None:
    cells: Cells = {"disk/inode/f.size": 8192, "disk/inode/f.pointers": "-1→9 0→4 1→5"}
    cells |= {"disk/4.data": "a", "disk/5.data": "b"}
    assert pages_on_disk(cells, order("mail", "linux-6.18", "ext4").scenario, "f") == {0: "a", 1: "b"}


def test_a_block_that_was_never_written_reads_as_zeroes() -> None:
    cells: Cells = {"disk/inode/f.size": 4096, "disk/inode/f.pointers": "0→4", "disk/inode/f.unwritten": "0"}
    cells |= {"disk/4.data": "x"}
    assert pages_on_disk(cells, order("mail", "linux-6.18", "ext4").scenario, "f") == {0: "."}
