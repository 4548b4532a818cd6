"""What a server keeps in memory has a room: by count, and by what it weighs."""

from app.runs import Shelf


def shelf(room: int, carries: int, *words: str) -> Shelf[str]:
    made: Shelf[str] = Shelf(room, carries, len)
    for word in words:
        made.put(word[0], word)
    return made


def test_the_thing_not_used_for_longest_goes_first() -> None:
    kept = shelf(2, 100, "one", "two")
    kept.get("o")
    kept.put("s", "six")
    assert [kept.get(key) for key in "ots"] == ["one", None, "six"]


def test_a_few_heavy_things_make_room_by_weight() -> None:
    kept = shelf(100, 10, "one", "two", "eleven")
    assert [kept.get(key) for key in "ote"] == [None, "two", "eleven"]


def test_what_is_too_heavy_by_itself_is_not_kept() -> None:
    kept = shelf(100, 4, "eleven")
    assert len(kept) == 0
    kept.put("f", "four")
    assert kept.get("f") == "four"


def test_a_thing_put_again_counts_once() -> None:
    kept = shelf(100, 6, "one", "one", "one", "two")
    assert [kept.get(key) for key in "ot"] == ["one", "two"]
