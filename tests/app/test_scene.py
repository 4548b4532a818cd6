"""The picture's geometry: a place for everything, rows that line up, lines that meet their tiles."""

from itertools import pairwise

from app.scene import BLOCKS, CACHE, COLUMNS, DISK, PITCH, PTE, SPACE, WIDTH, Edge, File, Mapping, Scene, lay_out


def mapping(mm: str, file: str | None, *indices: int, start: int = 0x40000) -> Mapping:
    return Mapping(mm, "m", "m = f", "rw-s", 1, file, tuple((start + index, index) for index in indices))


def file(name: str, *indices: int) -> File:
    return File(name, f"inode {name}", 1, indices)


def edge(scene: Scene, at: str) -> Edge:
    return next(edge for edge in scene.edges if edge.at == at)


def test_columns_stand_in_the_order_data_flows_and_do_not_overlap() -> None:
    tiles = [SPACE, PTE, CACHE, BLOCKS, DISK]
    assert [column.x for column in COLUMNS] == sorted(column.x for column in COLUMNS)
    for left, right in pairwise(tiles):
        assert left.right < right.tile_x
    assert DISK.right <= WIDTH


def test_a_page_is_one_row_from_the_program_to_the_disk() -> None:
    scene = lay_out([mapping("A", "f", 0, 1, 2, 3)], [file("f", 0, 1, 2, 3)], [], [("A", "0x40002", "f/2")])
    rows = {row.label: row.y for row in scene.mappings[0].rows}
    assert rows == {row.label: row.y for row in scene.files[0].rows}
    assert edge(scene, "edge/p/A/0x40002/f/2").d == f"M{PTE.right} {rows['2']:g}H{CACHE.tile_x}"


def test_rows_keep_their_distance() -> None:
    scene = lay_out([], [file("f", 0, 1, 5)], [])
    ys = [row.y for row in scene.files[0].rows]
    assert [b - a for a, b in pairwise(ys)] == [PITCH, PITCH]


def test_two_mappings_of_one_file_stand_one_below_the_other_and_meet_in_its_pages() -> None:
    targets = [("A", "0x40000", "f/0"), ("B", "0x40000", "f/0")]
    scene = lay_out([mapping("A", "f", 0), mapping("B", "f", 0)], [file("f", 0)], [], targets)
    first, second = scene.mappings
    assert second.y >= first.y + first.height
    assert "C" in edge(scene, "edge/p/B/0x40000/f/0").d
    assert edge(scene, "edge/p/B/0x40000/f/0").d.endswith(f"{CACHE.tile_x} {scene.files[0].rows[0].y:g}")


def test_files_do_not_overlap() -> None:
    scene = lay_out([mapping("A", "f", 0, 1)], [file("f", 0, 1), file("g", 0)], [])
    f, g = scene.files
    assert g.y >= f.y + f.height
    assert scene.height >= g.y + g.height


def test_frames_outside_the_page_cache_have_a_place_below_the_files() -> None:
    scene = lay_out([mapping("A", "f", 0)], [file("f", 0)], ["frame/9"], [("A", "0x40000", "frame/9")])
    assert scene.loose is not None
    assert scene.loose.y >= scene.files[0].y + scene.files[0].height
    assert edge(scene, "edge/p/A/0x40000/frame/9").d.endswith(f"{scene.loose.rows[0].y:g}")


def test_an_anonymous_mapping_stands_after_those_of_files() -> None:
    scene = lay_out([mapping("A", None, 0), mapping("A", "f", 0, start=0x50000)], [file("f", 0)], [])
    assert [band.rows[0].key for band in scene.mappings] == ["0x50000", "0x40000"]


def test_a_translation_of_a_page_that_is_not_shown_has_no_line() -> None:
    scene = lay_out([mapping("A", "f", 0)], [file("f", 0)], [], [("A", "0x40007", "f/7"), ("A", "0x40000", "f/7")])
    assert not [edge for edge in scene.edges if edge.at.startswith("edge/p/")]


def test_an_empty_run_has_an_empty_picture() -> None:
    scene = lay_out([], [], [])
    assert (scene.mappings, scene.files, scene.loose, scene.edges) == ((), (), None, ())
    assert scene.height > 0


def test_locks_and_token_have_places_clear_of_the_tiles() -> None:
    places = lay_out([mapping("A", "f", 0, 1), mapping("A", "f", 2)], [file("f", 0, 1, 2)], [])
    assert [point.at for point in places.holds] == [
        "hold/mm/A.mmap_sem",
        "hold/mm/A.page_table_lock",
        "hold/inode/f.i_sem",
    ]
    tiles = [(column.tile_x, column.right) for column in (*COLUMNS, PTE)]
    bent = lay_out([mapping("B", "f", 2)], [file("f", 0, 1, 2)], [], [("B", "0x40002", "f/2")])
    token = next(point for point in bent.spots if point.at == "spot/p/B/0x40002/f/2")
    rows = {row.key: row.y for band in (*bent.mappings, *bent.files) for row in band.rows}
    assert token.y == (rows["0x40002"] + rows["2"]) / 2
    for point in (*places.spots, *bent.spots):
        assert not any(left < point.x < right for left, right in tiles), point.at
