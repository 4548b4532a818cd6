import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import engine
from engine import script
from engine.checks import blocks_of, largest_file
from engine.document import read_document
from engine.errors import Problem, ScenarioError
from engine.scenario import (
    Extent,
    File,
    Machine,
    Scenario,
    Task,
    json_schema,
    load_scenario,
    scenario_from_data,
    to_data,
    to_yaml,
)
from engine.sizes import Geometry

GALLERY = {path.stem: path for path in sorted(Path(engine.__path__[0], "scenarios").glob("*.yaml"))}

MAIL = """\
title: The mail's experiment
story: A hole, a full disk, and a store that nobody refuses.
sources: [mail-2004-09-05]
machine: {arch: i386, cpus: 2, frames: 16, page_size: 4096}
filesystem: {type: ext2, blocks: 16, block_size: 4096, reserved: 0, quota: {alice: {soft: 7, hard: 8}}}
files:
  f: {owner: alice, size: 4P, data: {0P: a}}      # page 0 has a block, 1 to 3 are holes
tasks:
  A:
    user: alice
    script:
      - m = mmap(f, 4P, READ|WRITE, SHARED)
      - m[2P] = "C"
      - msync(m, SYNC)
  B:
    user: bob
    script:
      - fill(g)                                    # takes every free block; fill(g, leave=2) leaves two
schedule: [B, A]
"""
"""The example of DESIGN.md, section 4."""


def found(read: Callable[[Any], Scenario], what: Any) -> tuple[Problem, ...]:
    """The problems of a text or of data; none if it is a scenario."""
    try:
        read(what)
    except ScenarioError as error:
        return error.problems
    return ()


def problems(text: str) -> list[str]:
    """Every problem as `line:column: message. cure`."""
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text, "x")
    return [line.removeprefix("x:") for line in str(caught.value).splitlines()]


def changed(old: str, new: str) -> str:
    assert MAIL.count(old) == 1
    return MAIL.replace(old, new)


def small(**more: Any) -> dict[str, Any]:
    """The least scenario, as data."""
    return {"title": "x", "tasks": {"A": {"user": "alice", "script": ["sync()"]}}, **more}


# -- what is read ----------------------------------------------------------------------------------------------------


def test_the_example_of_the_design_reads_as_meant() -> None:
    scenario = load_scenario(MAIL)
    assert scenario.lines("A") == (
        script.Line(
            1,
            "m = mmap(f, 4P, READ|WRITE, SHARED)",
            script.Mmap("m", "f", 16384, frozenset({"READ", "WRITE"}), shared=True),
        ),
        script.Line(2, 'm[2P] = "C"', script.Store("m", 8192, 8193, "C")),
        script.Line(3, "msync(m, SYNC)", script.Msync("m", "SYNC")),
    )
    assert scenario.lines("B") == (script.Line(1, "fill(g)", script.Fill("g")),)
    assert scenario.files["f"].size == 16384
    assert scenario.extents("f") == (Extent(0, 4096, "a"),)
    assert str(scenario.default_schedule()) == "B.A"
    assert scenario.filesystem.quota["alice"].grace == 7 * 86400


def test_json_is_the_same_language() -> None:
    data = json.loads(json.dumps(to_data(load_scenario(MAIL))))
    assert load_scenario(json.dumps(data)) == scenario_from_data(data) == load_scenario(MAIL)


def test_users_have_numbers_in_order_of_appearance() -> None:
    scenario = load_scenario(MAIL)
    assert scenario.users == ("root", "alice", "bob")
    assert [scenario.uid(user) for user in scenario.users] == [0, 1000, 1001]


def test_the_name_of_a_text_is_the_id_unless_it_has_its_own() -> None:
    assert load_scenario(MAIL).id == "scenario"
    assert load_scenario(MAIL, default_id="mail").id == "mail"
    assert load_scenario("id: own\n" + MAIL, default_id="mail").id == "own"


def test_a_letter_fills_its_page_and_a_block_if_the_offset_is_in_blocks() -> None:
    files = {"f": {"size": "4P", "data": {"0P": "a", "4B": "b", "5B": "hello", "8192": "c", "13312": "d"}}}
    scenario = scenario_from_data(small(filesystem={"block_size": 1024}, files=files))
    assert scenario.extents("f") == (
        Extent(0, 4096, "a"),
        Extent(4096, 1024, "b"),
        Extent(5120, 1024, "hello"),
        Extent(8192, 4096, "c"),
        Extent(13312, 1024, "d"),
    )
    assert Extent(0, 8, "a").content == b"aaaaaaaa"
    assert Extent(0, 8, "hello").content == b"hello\0\0\0"


def test_a_toy_machine_has_toy_blocks() -> None:
    scenario = scenario_from_data(small(machine={"page_size": 64}, files={"f": {"size": "4P"}}))
    assert (scenario.filesystem.block_size, scenario.files["f"].size) == (64, 256)


def test_a_file_may_end_where_ext2_ends() -> None:
    scenario = scenario_from_data(small(files={"f": {"size": "2T"}, "g": {"size": "5G", "data": {"0P": "a"}}}))
    assert scenario.files["f"].size == 2_199_023_255_552


def test_a_thread_and_a_child_run_as_whoever_they_come_from() -> None:
    tasks = {
        "A": {"user": "alice", "script": ["m = mmap(ANON, 1P, READ|WRITE, PRIVATE)", "fork(C)"]},
        "T": {"thread_of": "C", "script": ['m[1] = "t"']},
        "C": {"child_of": "A", "script": ['m[0] = "c"']},
    }
    scenario = scenario_from_data({"title": "x", "tasks": tasks})
    assert {task.user for task in scenario.tasks.values()} == {"alice"}
    assert scenario.lines("T")[0].operation == script.Store("m", 1, 2, "t")


def test_a_child_knows_only_what_was_assigned_before_the_fork() -> None:
    tasks = {
        "A": {"user": "alice", "script": ["fork(C)", "m = mmap(ANON, 1P, READ, PRIVATE)"]},
        "C": {"child_of": "A", "script": ["x = m[0]"]},
    }
    with pytest.raises(ScenarioError, match="m is used before it is assigned"):
        scenario_from_data({"title": "x", "tasks": tasks})


def test_a_scenario_cannot_be_changed() -> None:
    scenario = load_scenario(MAIL)
    with pytest.raises(ValidationError, match="frozen"):
        scenario.title = "another"


def test_a_scenario_made_by_hand_is_checked_as_well() -> None:
    task = Task(user="alice", script=("fsync(k)",))
    with pytest.raises(ScenarioError, match="there is no file k"):
        Scenario(title="x", files={"f": File(size=4096)}, tasks={"A": task})


def test_a_file_by_itself_knows_no_pages() -> None:
    assert File.model_validate({"size": "8K"}).size == 8192
    with pytest.raises(ValidationError, match="how long 4P is depends on the scenario"):
        File.model_validate({"size": "4P"})


# -- the numbers of ext2, from kernel-facts 3.3 ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("block_size", "size"), [(1024, 17_247_252_480), (2048, 275_415_851_008), (4096, 2_199_023_255_552)]
)
def test_the_block_map_ends_where_the_facts_say(block_size: int, size: int) -> None:
    assert largest_file(block_size) == size


@pytest.mark.parametrize(
    ("offset", "blocks"),
    [
        (0, 1),
        (49_151, 1),
        (49_152, 2),
        (1 << 20, 2),
        (4_243_455, 2),
        (4_243_456, 3),
        (5 << 20, 3),
        (1 << 30, 3),
        (4_299_210_751, 3),
        (4_299_210_752, 4),
        (15 << 30, 4),
    ],
)
def test_the_first_block_of_a_sparse_file_costs_what_the_facts_say(offset: int, blocks: int) -> None:
    at = str(offset // 4096 * 4096)
    assert blocks_of(File(size=1 << 41, data={at: "a"}), Geometry(4096, 4096)) == blocks


def test_index_blocks_are_shared() -> None:
    data = {"12P": "a", "13P": "b", "1036P": "c", "1037P": "d"}
    assert blocks_of(File(size=1 << 30, data=data), Geometry(4096, 4096)) == 4 + 1 + 2


# -- what is refused, and where --------------------------------------------------------------------------------------

REFUSED: list[tuple[str, str, str]] = [
    ("title: The mail's experiment", "order: 1", "1:1: title is missing. Add title: The mail's experiment."),
    ("title: The mail's", "titel: The mail's", "1:1: there is no key 'titel' here. Did you mean title?"),
    ("arch: i386", "arch: i387", "4:17: there is no architecture 'i387'. Did you mean i386 or i386-pae?"),
    ("cpus: 2", "cpus: 9", "4:29: cpus cannot be 9. The limit is 8."),
    ("cpus: 2", 'cpus: "2"', "4:29: cpus must be a whole number, not '2'. Write 4, without quotes."),
    ("frames: 16", "frames: 3", "4:40: frames cannot be 3. The least is 4."),
    ("page_size: 4096", "page_size: 5000", "4:55: 5000 is not a power of two. Write 4096 or 8192."),
    ("block_size: 4096", "block_size: 8192", "5:50: a block of 8192 bytes is larger than a page of 4096. "),
    ("reserved: 0", "reserved: 17", "5:66: 17 reserved blocks are more than the 16 there are. Write at most 16."),
    ("soft: 7", "soft: 9", "5:91: the soft limit 9 is above the hard limit 8. Swap them."),
    ("{alice: {soft", "{alcie: {soft", "5:77: there is no user alcie. Did you mean alice? A user runs a task."),
    ("owner: alice", "owner: alise", "7:14: there is no user alise. Did you mean alice? A user runs a task."),
    ("owner: alice, ", "owner: mallory, ", "7:14: there is no user mallory. Known: root, alice, bob. A user runs "),
    ("size: 4P", "size: 4p", "7:27: there is no unit p. Write 4P."),
    ("size: 4P", "size: big", "7:27: 'big' is not a size. Write 4P (pages), 2B (blocks), 8K, or bytes."),
    ("size: 4P", "size: 3T", "7:27: size cannot be 3298534883328. The limit is 2T."),
    ("size: 4P, ", "", "7:3: size is missing. Add size: 4P."),
    ("0P: a", "0Q: a", "7:42: there is no unit Q. A size is a number and P (pages)"),
    ("0P: a", "first: a", "7:45: 'first' is not an offset. Write 0P, 3B or bytes."),
    ("0P: a", "4096: 5", "7:44: '4096' must be a text, not 5. Put it in quotes."),
    ("hard: 8", "hard: 8, grace: 7y", "5:110: '7y' is not a time. Write 30s, 5m, 2h or 7d."),
    (
        "  f: {",
        "  a_very_long_name_x: {size: 1P}\n  f: {",
        "7:3: 'a_very_long_name_x' cannot be a name: a name has at ",
    ),
    ("user: bob", "thread_of: A\n    child_of: A", "17:15: task B cannot be a thread and a child. "),
    ("msync(m, SYNC)", "quota(alice, hard=1K)", "14:27: 1K is not a whole number of blocks. "),
    ("0P: a", "5: a", "7:41: data begins at a block, and 5 is inside one. Write it in pages (2P) or blocks (2B)."),
    ("0P: a", "4P: a", "7:42: the data at 4P is beyond the end of file f. The file has 4P: make it larger."),
    ("0P: a", "0P: a, 0B: b", "7:49: the data at 0B is put over other data. Give each page or block its data once."),
    ("0P: a", '0P: ""', "7:42: data is at least one character of printable ASCII. Write one letter: a."),
    ("0P: a", "0P: 5", "7:42: '0P' must be a text, not 5. Put it in quotes."),
    ("  f: {", "  READ: {size: 1P}\n  f: {", "7:3: 'READ' cannot be a name: READ means something else in scripts. "),
    ("  f: {", "  a-file: {size: 1P}\n  f: {", "7:3: 'a-file' cannot be a name: a name is letters, digits and _, "),
    ("blocks: 16", "blocks: 0", "5:34: blocks cannot be 0. The least is 1."),
    (
        "blocks: 16",
        "blocks: 16, reserved_clusters: 2",
        "5:57: ext2 keeps no reserved_clusters. Leave them out, or choose",
    ),
    ("user: bob", "user: bob\n    cpu: 2", "17:10: there is no cpu 2. Write 0 to 1, or give the machine more cpus."),
    (
        "  B:\n",
        "  pdflush: {user: bob, script: [sync()]}\n  B:\n",
        "15:3: task pdflush is the kernel's own. Choose another name: A.",
    ),
    ("user: bob", "thread_of: C", "16:16: there is no task C. Known: A."),
    ("user: bob", "thread_of: B", "16:16: B cannot descend from itself. Name a task that begins by itself."),
    ("user: bob", "child_of: A", "16:15: A never makes its child B. Write fork(B) in A's script."),
    ("user: bob", "user: bob\n    thread_of: A", "16:11: B runs as bob, but comes from A, which runs as alice. "),
    ("user: bob", "user: bob\n    on_sigbus: ignore", "17:16: on_sigbus cannot be 'ignore'. Write 'die' or 'next'."),
    ("- m[2P] =", "- mm[2P] =", "13:9: mm is used before it is assigned. Did you mean m?"),
    ("m[2P] =", "m[2P:3P] = m[1P] =", "13:9: this is not a line of the script. A line is a call"),
    ('m[2P] = "C"', 'm[2P: 3P] = "C"', "13:9: line 2 must be a text, not {'m[2P': '3P] = \"C\"'}. Put the line in "),
    ('- m[2P] = "C"', "- 'm[2P] = ''a'' * x'", "13:26: a size must be a whole number. Write it as 4P"),
    ('- m[2P] = "C"', '- "m[2P] = \\"\\" "', "13:18: the text is empty. Write at least one character"),
    ("msync(m, SYNC)", "mysnc(m, SYNC)", "14:9: there is no call mysnc. Did you mean msync, sync or fsync?"),
    ("msync(m, SYNC)", "fsync(k)", "14:15: there is no file k. Known: f."),
    ("msync(m, SYNC)", "quota(eve, hard=9)", "14:15: there is no user eve. Known: root, alice, bob."),
    ("msync(m, SYNC)", "free(h, 1)", "14:9: nobody takes blocks for h. Known: g."),
    ("msync(m, SYNC)", "exit()\n      - sync()", "15:9: nothing runs after exit(). Remove it, or put it before."),
    ("[B, A]", "[B, Q]", "19:15: there is no task 'Q'. Known: A, B."),
    ("[B, A]", "[B, A@do_no_page>B]", "19:15: 'A@do_no_page>B' is not a preemption. Write it as "),
    ("[B, A]", "B", "19:11: schedule must be a list, not 'B'. Write - before each item, a line each."),
    ("schedule: [B, A]", "story: again", "19:1: the key 'story' stands here twice. Keep one of them."),
    ("schedule: [B, A]", "schedule: [B, A", "20:1: this is not YAML: did not find expected ',' or ']'. "),
    ("schedule: [B, A]", "\tschedule: [B, A]", "19:1: a tab stands where YAML wants spaces. Indent with spaces."),
    ("sources: [mail", "sources: &x [mail", "3:10: anchors and aliases (& and *) have no meaning here. "),
    ("sources: [mail-", "sources: [*x, mail-", "3:11: anchors and aliases (& and *) have no meaning here. "),
    ("sources: [mail-", "sources: !!python/name:os [mail-", "3:10: the tag 'tag:yaml.org,2002:python/name:os' has "),
    ("A hole, a full", "A hole: a full", "2:14: a colon stands where none can. Put the text in quotes."),
    ("A hole", "A \x00hole", "2:10: the character '\\x00' cannot be in a text. Write plain text in UTF-8."),
]


@pytest.mark.parametrize(("old", "new", "said"), REFUSED, ids=[new[:50] or old for old, new, _ in REFUSED])
def test_a_refusal_names_line_column_what_is_wrong_and_a_cure(old: str, new: str, said: str) -> None:
    (problem,) = problems(changed(old, new))
    assert problem.startswith(said)
    assert problem.endswith((".", "?"))


def test_a_thread_belongs_to_a_task_that_is_no_thread() -> None:
    tasks = small(tasks={"A": {"user": "al", "script": ["sync()"]}})["tasks"]
    tasks |= {"B": {"thread_of": "A", "script": ["sync()"]}, "C": {"thread_of": "B", "script": ["sync()"]}}
    with pytest.raises(ScenarioError, match=r"/tasks/C/thread_of: B is itself a thread\. Write thread_of: A\."):
        scenario_from_data(small(tasks=tasks))


def test_a_child_is_made_once() -> None:
    tasks = {
        "A": {"user": "al", "script": ["fork(B)", "fork(B)"]},
        "B": {"child_of": "A", "script": ["sync()"]},
    }
    with pytest.raises(ScenarioError, match=r"/tasks/A/script/1: B was made before, by A\. A child is made once\."):
        scenario_from_data(small(tasks=tasks))


def test_the_end_of_grace_may_be_written_as_a_time() -> None:
    assert load_scenario(changed("hard: 8", "hard: 8, grace: 3d")).filesystem.quota["alice"].grace == 259_200


@pytest.mark.parametrize("mark", [">", "|", '"'])
def test_a_line_written_over_several_lines_is_found_at_its_beginning(mark: str) -> None:
    tail = "fsync(k)" if mark != '"' else 'fsync(\n          k)"'
    start = f"{mark}\n          " if mark != '"' else mark
    (problem,) = problems(changed("msync(m, SYNC)", start + tail))
    assert problem.startswith("14:9: ")


def test_all_problems_are_found_at_once() -> None:
    text = changed("story: A hole", "stroy: A hole")
    text = text.replace("size: 4P", "size: 4Q").replace("SYNC", "SNC").replace("[B, A]", "[B, A, C]")
    lines = [re.match(r"\d+", problem) for problem in problems(text)]
    assert [match[0] for match in lines if match] == ["2", "7", "14", "19"]


def test_one_mistake_is_one_problem() -> None:
    assert len(problems(changed("m = mmap(f, 4P", "m = mmap(h, 4P"))) == 1
    assert len(problems(changed("size: 4P", "size: 4Q"))) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1:1: the text is empty. "),
        ("# nothing but a comment", "1:1: a scenario is a mapping of key: value. "),
        ("- a\n- b", "1:1: a scenario is a mapping of key: value. "),
        ("just words", "1:1: a scenario is a mapping of key: value. "),
        ("--- {title: x}\n--- {title: y}", "2:1: a second document begins here. Write one scenario a text."),
        ('{"title": "x",}}', "1:15: this is not JSON: Expecting property name enclosed in double quotes. "),
        ('{\n "title": "x"\n "tasks": {}}', "3:2: this is not JSON: Expecting ',' delimiter. "),
        ("[" * 70, "1:13: this is nested more than 12 deep. "),
        ("x" * 70_000, "1:1: the text has 70000 characters, the limit is 65536. "),
        ("tasks:\n  A:\n", "1:1: title is missing. "),
    ],
)
def test_a_text_that_is_no_scenario_is_told_so(text: str, said: str) -> None:
    assert problems(text)[0].startswith(said)


@pytest.mark.parametrize(
    ("data", "path", "message"),
    [
        (None, "", "a scenario is a mapping of key: value"),
        ([], "", "a scenario is a mapping of key: value"),
        ({}, "/title", "title is missing"),
        (small(title=5), "/title", "title must be a text, not 5"),
        (small(title="\ud800"), "/title", "title must be a text"),
        (small(machine=None), "/machine", "machine is empty"),
        (small(machine={"cpus": True}), "/machine/cpus", "cpus must be a whole number, not True"),
        (small(machine={"cpus": 1.5}), "/machine/cpus", "cpus must be a whole number, not 1.5"),
        (small(files={"f": {"size": "9/9"}}), "/files/f/size", "'9/9' is not a size"),
        (small(**{"a/b": 1}), "/a~1b", "there is no key 'a/b' here"),
        (small(id="Not An Id"), "/id", "id cannot be 'Not An Id'"),
        (small(tasks={}), "/tasks", "tasks is empty"),
        (small(tasks={"A": {"user": "al", "script": []}}), "/tasks/A/script", "script is empty"),
        (small(tasks={"A": {"user": "al", "script": [5]}}), "/tasks/A/script/0", "line 1 must be a text, not 5"),
        (small(tasks={"A": {"user": "al", "script": ["fsnc(f)"]}}), "/tasks/A/script/0", "there is no call fsnc"),
    ],
)
def test_problems_of_plain_data_have_paths(data: Any, path: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario_from_data(data)
    first = caught.value.problems[0]
    assert (first.line, first.path) == (0, path)
    assert first.message.startswith(message)
    assert first.cure


def test_a_column_of_plain_data_counts_in_the_line_of_the_script() -> None:
    with pytest.raises(ScenarioError, match=r"body/tasks/A/script/0:7: there is no file k\."):
        scenario_from_data(small(tasks={"A": {"user": "al", "script": ["fsync(k)"]}}), "body")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (small(tasks={f"T{n}": {"user": "al", "script": ["sync()"]} for n in range(9)}), "The limit is 8"),
        (small(tasks={"A": {"user": "al", "script": ["sync()"] * 401}}), "The limit is 400"),
        (small(files={f"f{n}": {"size": 1} for n in range(17)}), "The limit is 16"),
        (small(files={"f": {"size": "64P", "data": {f"{n}P": "a" for n in range(65)}}}), "The limit is 64"),
        (small(filesystem={"blocks": 16385}), "The limit is 16384"),
        (small(machine={"frames": 5000}), "The limit is 1024"),
        (small(title="x" * 121), "The limit is 120"),
        (small(filesystem={"blocks": 1}, files={"f": {"size": "9P", "data": {"0P": "a", "1P": "b"}}}), "blocks: 2"),
        (small(machine={"page_size": 16}, files={"f": {"size": "1M"}}), "The limit is 96P"),
    ],
)
def test_a_limit_is_named_when_it_is_reached(data: dict[str, Any], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario_from_data(data)
    assert [said in problem.cure for problem in caught.value.problems] == [True]


def test_the_pages_of_a_file_that_scripts_touch_are_limited() -> None:
    lines = ["m = mmap(f, 2000P, READ, SHARED)", *(f"m[{n}P:{n + 205}P]" for n in range(0, 1025, 205))]
    with pytest.raises(ScenarioError, match=r"touch 1025 pages of f\. The limit is 1024"):
        scenario_from_data(small(files={"f": {"size": "1G"}}, tasks={"A": {"user": "al", "script": lines}}))


@pytest.mark.parametrize(
    "text",
    [
        MAIL + "  - [" * 10_000,
        "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n" * 1000,
        "{" * 65_000,
        "? " * 30_000,
        '{"tasks": ' * 6_000,
        MAIL.replace("- msync(m, SYNC)", "- msync(mm, SNC)\n      " * 200),
        "title: x\ntasks:\n"
        + "".join(
            f"  T{n}:\n    user: al\n    script:\n      - m = mmap(ANON, 256P, READ, PRIVATE)\n"
            + "      - m[0:256P]\n" * 199
            for n in range(8)
        ),
    ],
    ids=["lists", "aliases", "braces", "keys", "json", "200 mistakes", "every page"],
)
@pytest.mark.timeout(30)
def test_no_text_hangs(text: str) -> None:
    found(load_scenario, text)


# -- and back --------------------------------------------------------------------------------------------------------


def test_defaults_are_left_out_and_sizes_are_spelt() -> None:
    data = to_data(load_scenario(MAIL))
    assert data["files"] == {"f": {"owner": "alice", "size": "4P", "data": {"0P": "a"}}}
    assert "machine" not in data
    assert data["filesystem"] == {"quota": {"alice": {"soft": 7, "hard": 8}}}


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=40)
letters = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    page = 1 << draw(st.integers(6, 12))
    block = page >> draw(st.integers(0, 2))
    offsets = draw(st.lists(st.integers(0, 7), unique=True, max_size=4))
    data = {f"{offset}P": draw(letters) for offset in offsets}
    return scenario_from_data(
        {
            "title": draw(texts.filter(bool)),
            "story": draw(texts),
            "order": draw(st.integers(0, 99)),
            "sources": draw(st.lists(texts, max_size=2)),
            "machine": {"page_size": page, "cpus": draw(st.integers(1, 8))},
            "filesystem": {"block_size": block, "blocks": 64, "quota": {"alice": {"hard": draw(st.integers(0, 9))}}},
            "files": {"f": {"owner": "alice", "size": draw(st.integers(8 * page, 20 * page)), "data": data}},
            "tasks": {"A": {"user": "alice", "script": ["m = mmap(f, 4P, READ, SHARED)", f"m[{block}]"]}},
            "schedule": draw(st.sampled_from([[], ["A"], ["A", "A@do_no_page.set_pte#3>pdflush"]])),
        }
    )


@given(scenarios())
def test_a_scenario_and_its_texts_say_the_same(scenario: Scenario) -> None:
    assert load_scenario(to_yaml(scenario)) == scenario
    assert load_scenario(json.dumps(to_data(scenario))) == scenario
    assert scenario_from_data(to_data(scenario)) == scenario


@given(st.text(max_size=80) | st.text(alphabet="ab:-[]{}\"'#&*!|> \n\t@", max_size=60))
def test_any_text_is_a_scenario_or_has_problems(text: str) -> None:
    assert all(problem.line >= 1 and problem.column >= 1 for problem in found(load_scenario, text))


@given(st.integers(0, len(MAIL)), st.integers(0, 12), st.text(alphabet="ab:-[]{}\"'#&*!|>, \n\t@P9", max_size=3))
def test_a_scenario_with_a_slip_of_the_pen_is_read_or_refused(at: int, cut: int, slip: str) -> None:
    text = MAIL[:at] + slip + MAIL[at + cut :]
    count = len(text.splitlines())
    assert all(1 <= problem.line <= count + 1 for problem in found(load_scenario, text))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["title", "machine", "filesystem", "files", "tasks", "schedule", "sources"]), json_values)
def test_plain_data_of_any_shape_is_a_scenario_or_has_problems(key: str, value: Any) -> None:
    assert all(problem.message for problem in found(scenario_from_data, small(**{key: value})))


# -- the schema ------------------------------------------------------------------------------------------------------


def test_the_schema_describes_every_part() -> None:
    schema = json_schema()
    parts = schema["$defs"]
    assert set(parts) == {"Machine", "Quota", "Filesystem", "File", "Task", "Beat"}
    assert parts["File"]["properties"]["size"]["examples"] == ["4P", 16384]
    for part in (schema, *parts.values()):
        assert part["additionalProperties"] is False
        assert part["description"]
    for name, value in parts["Machine"]["properties"].items():
        assert value["description"], name
    json.dumps(schema)


def test_the_patterns_of_the_schema_allow_what_is_allowed() -> None:
    (_, size) = json_schema()["$defs"]["File"]["properties"]["size"]["anyOf"]
    assert all(re.match(size["pattern"], text) for text in ("4P", "16384", "2T", "3B"))
    assert not any(re.match(size["pattern"], text) for text in ("4p", "", "P", "-1", "4 P"))


def test_a_scenario_may_say_which_kernel_shows_it_best() -> None:
    text = "title: t\nkernel: {}\ntasks: {{A: {{user: root, script: [sync()]}}}}\n"
    for name in ("linux-6.18", "wli-corrected+X5", "linux-6.x"):
        assert load_scenario(text.format(name)).kernel == name
    with pytest.raises(ScenarioError) as caught:
        load_scenario(text.format("linux-2.6.8"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.path) == (2, "/kernel")
    assert problem.message == "there is no kernel 'linux-2.6.8'"
    assert "linux-2.6.9" in problem.cure
    assert "linux-6.18" in json_schema()["properties"]["kernel"]["examples"]


# -- the gallery -----------------------------------------------------------------------------------------------------


def gallery() -> dict[str, Scenario]:
    return {name: load_scenario(path.read_text("utf-8"), default_id=name) for name, path in GALLERY.items()}


def test_the_gallery_has_what_the_teacher_was_promised() -> None:
    promised = "mail mail-store-first last-block lock-drop quota root-reserve private-full-disk fork msync-twice"
    assert {*promised.split(), "memory-pressure"} <= GALLERY.keys()


@pytest.mark.parametrize("name", GALLERY)
def test_a_scenario_of_the_gallery_can_be_taught(name: str) -> None:
    scenario = load_scenario(GALLERY[name].read_text("utf-8"), default_id=name)
    assert scenario.id == name
    assert scenario.question.endswith("?")
    assert scenario.title
    assert scenario.answer
    assert scenario.chapter
    assert scenario.sources
    assert 2 <= len(re.findall(r"[.!?](?= |$)", scenario.story)) <= 4
    assert all(len(task.script) <= 6 for task in scenario.tasks.values())
    assert scenario.machine == Machine() or scenario.chapter == "The machine"
    assert load_scenario(to_yaml(scenario)) == scenario


def test_the_gallery_has_an_order() -> None:
    orders = sorted(scenario.order for scenario in gallery().values())
    assert orders == list(range(1, len(orders) + 1))


@pytest.mark.parametrize("name", GALLERY)
def test_sources_point_to_something(name: str) -> None:
    for source in load_scenario(GALLERY[name].read_text("utf-8")).sources:
        assert re.fullmatch(
            r"mail-2004-09-05|kernel-facts [1-7][a-e]?(\.\d+)?( (S|N|W|X|H)\d+[a-e]?)?|(xfstests|LTP) \S+"
            r"|(arch|fs|include|mm)/\S+\.[chS], \d+\.\d+(\.\d+)?"
            r"|real-kernels( rule \d+)?|[\w-]+/[\w-]+ (issue|pull request) \d+",
            source,
        ), source


def test_places_are_those_of_the_text() -> None:
    document = read_document("a: 1\nb:\n  - c: x\n")
    assert document.data == {"a": 1, "b": [{"c": "x"}]}
    assert document.locate("/a") == (1, 4)
    assert document.locate("/b") == (2, 1)
    assert document.locate("/b/0/c") == (3, 8)
    assert document.locate("/b/0/c/nothing/inside") == (3, 8)
    assert document.locate("/b/0/c", key=True) == (3, 5)
