"""Addresses are spelt and parsed in one place, and mean the same for ever."""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import links
from app.events import Event
from app.links import RunLink

SWITCH = "B.A,A@do_no_page.enough_space#2>B"


@dataclass(frozen=True)
class Step:
    n: int
    task: str
    line: int
    function: str
    name: str


STEPS = (
    Step(1, "A", 1, "sys_mmap", "map"),
    Step(2, "A", 2, "store", "walk"),
    Step(3, "A", 2, "do_no_page", "pte_none"),
    Step(4, "B", 2, "do_no_page", "set_pte"),
    Step(5, "A", 2, "do_no_page", "set_pte"),
    Step(7, "A", 2, "do_no_page", "set_pte"),
    Step(8, "A", 3, "do_no_page", "set_pte"),
)


def test_the_same_content_has_the_same_id_for_ever() -> None:
    assert links.content_id(b"") == links.content_id(b"")
    assert links.content_id(b"") != links.content_id(b" ")


@given(st.binary())
def test_an_id_is_long_enough_and_has_no_letter_that_a_reader_confuses(content: bytes) -> None:
    usual, *longer = links.ids(content)
    assert len(usual) >= 10
    assert all(other.startswith(usual) for other in longer)
    for link in (usual, *longer):
        assert links.is_id(link)
        assert not set(link) & set("01lo")
        assert link == link.lower()


@pytest.mark.parametrize("text", ["", "short", "abcdefghij0", "ABCDEFGHIJK", "../../../etc", "a" * 40])
def test_what_can_be_no_id_is_told_at_once(text: str) -> None:
    assert not links.is_id(text)


def test_a_name_is_told_from_the_text_of_a_scenario() -> None:
    assert links.is_name("mail-store-first")
    assert links.is_name("linux-2.6.9")
    assert not links.is_name("title: The mail's experiment")
    assert not links.is_name("tasks:\n  A: {}")


def test_a_run_has_a_readable_address() -> None:
    link = RunLink("mail", "linux-2.6.9", switch="A@do_no_page.enough_space>B")
    assert link.url() == "/run/mail/linux-2.6.9?switch=A@do_no_page.enough_space>B"
    assert link.url(step=17) == "/run/mail/linux-2.6.9?switch=A@do_no_page.enough_space>B&step=17"
    assert RunLink("mail", "linux-2.6.9").url(suffix=".json") == "/run/mail/linux-2.6.9.json"
    assert RunLink(link="abcdefghjkmn").url(step=3) == "/s/abcdefghjkmn?step=3"
    assert links.short("abcdefghjkmn") == "/s/abcdefghjkmn"


def test_what_a_schedule_says_survives_its_address() -> None:
    url = RunLink("mail", "linux-2.6.9", "ext2", SWITCH).url(step=2, at="A.2.do_no_page.set_pte")
    said = parse_qs(urlsplit(url).query)
    assert said == {"fs": ["ext2"], "switch": [SWITCH], "step": ["2"], "at": ["A.2.do_no_page.set_pte"]}


def test_names_from_strangers_stay_one_part_of_an_address() -> None:
    assert links.kernel("../x?y#z") == "/kernel/..%2Fx%3Fy%23z"
    assert RunLink("a/b", "c&d").url() == "/run/a%2Fb/c%26d"


@pytest.mark.parametrize("name", ["linux-2.6.9", "wli-posted", "abc.def"])
@pytest.mark.parametrize("suffix", ["", ".json", ".txt", ".svg"])
def test_a_suffix_is_told_from_a_name_with_dots(name: str, suffix: str) -> None:
    assert links.split_suffix(name + suffix) == (name, suffix)


@pytest.mark.parametrize("text", ["A.2", "A.2.do_no_page", "A.2.do_no_page.set_pte", "A.2.do_no_page.set_pte#3"])
def test_an_event_is_spelt_as_it_was_parsed(text: str) -> None:
    assert str(Event.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["", "A", "A.x", ".2.f.s", "A.2.do no page", "A.2.f.s.t", "A.-1.f", "A.2.f.s#0", "A.2.f#2"]
)
def test_what_is_no_event_is_told(text: str) -> None:
    assert Event.parse(text) is None


@pytest.mark.parametrize(
    ("event", "step"),
    [
        ("A.2.do_no_page.set_pte", 5),  # the same task, line, function and step
        ("A.2.do_no_page.set_pte#2", 7),
        ("A.2.do_no_page.set_pte#9", 7),
        ("B.2.do_no_page.set_pte", 4),
        ("A.2.do_no_page.enough_space", 3),  # else the function
        ("A.2.page_mkwrite.ask", 2),  # else where the line begins
        ("A.2", 2),
        ("A.9.do_no_page.set_pte", None),
        ("C.1", None),
    ],
)
def test_an_event_finds_what_comes_nearest_to_it(event: str, step: int | None) -> None:
    parsed = Event.parse(event)
    assert parsed is not None
    assert parsed.find(STEPS) == step
