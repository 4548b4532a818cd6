from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import script
from engine.calls import CALLS
from engine.errors import Problem, ScenarioError
from engine.operations import Operation
from engine.script import Context, Variable, parse_line, plain
from engine.sizes import MAX_BYTES, Geometry, rewrite, spell

P = 4096


def context() -> Context:
    """What the lines below may speak of: files f and g1, a mapping m of 4 pages of f, a value x, a child B."""
    variables = {"m": Variable("mapping", "f", 4 * P), "x": Variable("value")}
    return Context(("f", "g1"), ("root", "alice"), ("B",), Geometry(P, 1024), variables)


def parse(*lines: str) -> Operation:
    known = context()
    return [parse_line(line, known) for line in lines][-1]


def refusal(*lines: str) -> Problem:
    with pytest.raises(ScenarioError) as caught:
        parse(*lines)
    (problem,) = caught.value.problems
    return problem


RW: script.Prot = frozenset({"READ", "WRITE"})
READ: script.Prot = frozenset({"READ"})
GOOD: list[tuple[str, Operation]] = [
    ("m = mmap(f, 4P, READ|WRITE, SHARED)", script.Mmap("m", "f", 4 * P, RW, shared=True)),
    (
        "n = mmap(f, 8K, READ, SHARED|POPULATE, 2P)",
        script.Mmap("n", "f", 8192, READ, shared=True, offset=2 * P, populate=True),
    ),
    ("a = mmap(ANON, 1P, READ|WRITE, PRIVATE)", script.Mmap("a", None, P, RW, shared=False)),
    ("n = mmap(file=f, prot=NONE, flags=PRIVATE, length=1)", script.Mmap("n", "f", 1, frozenset(), shared=False)),
    ('m[2P] = "C"', script.Store("m", 2 * P, 2 * P + 1, "C")),
    ('m[2P] = "hello"', script.Store("m", 2 * P, 2 * P + 5, "hello")),
    ('m[2P:3P] = "C"', script.Store("m", 2 * P, 3 * P, "C")),
    ('m[:] = "C"', script.Store("m", 0, 4 * P, "C")),
    ('m[2P] = "C" * 1P', script.Store("m", 2 * P, 3 * P, "C")),
    ('m[2P:3P] = "C" * 1P', script.Store("m", 2 * P, 3 * P, "C")),
    ('m[2P+5] = "#"  # five bytes into page 2', script.Store("m", 2 * P + 5, 2 * P + 6, "#")),
    ("syncfs(f)", script.Syncfs("f")),
    ('readinto(m[2P:3P], "C")', script.ReadInto("m", 2 * P, 3 * P, "C")),
    ("x = m[2P]", script.Load("x", "m", 2 * P, 2 * P + 1)),
    ("y = m[0:2P]", script.Load("y", "m", 0, 2 * P)),
    ("m[3P - 1]", script.Load(None, "m", 3 * P - 1, 3 * P)),
    ("h = open(f, RDWR)", script.Open("h", "f", write=True)),
    ("h = open(f, RDONLY)", script.Open("h", "f", write=False)),
    ("h = open(f, RDWR|DIRECT)", script.Open("h", "f", write=True, direct=True)),
    ("h = open(f, DIRECT|RDONLY)", script.Open("h", "f", write=False, direct=True)),
    ("close(f)", script.Close("f", None)),
    ('pwrite(f, "C", 2P)', script.Pwrite("f", "C", 1, 2 * P)),
    ('pwrite(f, "C" * 4P, 0)', script.Pwrite("f", "C", 4 * P, 0)),
    ('pwrite(f, 2 * "ab", 5)', script.Pwrite("f", "ab", 4, 5)),
    ("x = pread(f, 1, 2P)", script.Pread("x", "f", 1, 2 * P)),
    ("pread(f, 1P, 0)", script.Pread(None, "f", P, 0)),
    ("fsync(f)", script.Fsync("f")),
    ("fdatasync(g1)", script.Fdatasync("g1")),
    ("sync()", script.Sync()),
    ("msync(m, SYNC)", script.Msync("m", "SYNC")),
    ("msync(m[1P:2P], ASYNC)", script.Msync("m", "ASYNC", P, 2 * P)),
    ("msync(m, INVALIDATE, 1P, 2P)", script.Msync("m", "INVALIDATE", P, 2 * P)),
    ("munmap(m)", script.Munmap("m")),
    ("munmap(m, 2P)", script.Munmap("m", 2 * P, None)),
    ("munmap(m[2P:])", script.Munmap("m", 2 * P, 4 * P)),
    ("mremap(m, 8P)", script.Mremap("m", 8 * P)),
    ("m = mremap(m, 8P)", script.Mremap("m", 8 * P)),
    ("mprotect(m, READ)", script.Mprotect("m", READ)),
    ("madvise(m[0:1P], DONTNEED)", script.Madvise("m", "DONTNEED", 0, P)),
    ("fork(B)", script.Fork("B")),
    ("exit()", script.Exit()),
    ("ftruncate(f, 0)", script.Ftruncate("f", 0)),
    ("ftruncate(f, 2T)", script.Ftruncate("f", MAX_BYTES)),
    ("fallocate(f, 0, 4P)", script.Fallocate("f", 0, 4 * P)),
    ("fallocate(f, 0, 8P, KEEP_SIZE)", script.Fallocate("f", 0, 8 * P, keep_size=True)),
    ("punch(f, 2P, 1P)", script.Punch("f", 2 * P, P)),
    ("zero(f, 2P, 1P)", script.Zero("f", 2 * P, P)),
    ("power_fails()", script.PowerFails()),
    ("reclaim()", script.Reclaim()),
    ("writeback()", script.Writeback()),
    ("drop_caches()", script.DropCaches()),
    ("remount()", script.Remount()),
    ("disk_error(f, 2P)", script.DiskError("f", 2 * P)),
    ("disk_error(f)", script.DiskError("f", None)),
    ("disk_error()", script.DiskError("", None)),
    ("disk_heals()", script.DiskHeals("")),
    ("device_room(4)", script.DeviceRoom(4)),
    ("clone(g1, f)", script.Clone("g1", "f")),
    ("disk_heals(f)", script.DiskHeals("f")),
    ("shutdown()", script.Shutdown()),
    ("quota(alice, hard=9)", script.SetQuota("alice", None, 9)),
    ("quota(alice, 2P, 3P)", script.SetQuota("alice", 8, 12)),
    ("fill(g)", script.Fill("g")),
    ("fill(g, leave=2)", script.Fill("g", 2)),
    ("take(g, 1)", script.Take("g", 1)),
    ("free(g, 1P)", script.Free("g", 4)),
    ("sleep(8d)", script.Sleep(8 * 86400)),
    ("sleep(30)", script.Sleep(30)),
    ("m[0x10]", script.Load(None, "m", 16, 17)),
    ("m[3B]", script.Load(None, "m", 3 * 1024, 3 * 1024 + 1)),
    ("n = mmap(f, 2*1M, READ, SHARED)", script.Mmap("n", "f", 2 << 20, READ, shared=True)),
]


@pytest.mark.parametrize(("line", "operation"), GOOD, ids=[line for line, _ in GOOD])
def test_a_line_becomes_an_operation(line: str, operation: Operation) -> None:
    assert parse(line) == operation


def test_every_call_is_tried_above() -> None:
    assert set(CALLS) == {line.partition("(")[0].rpartition(" ")[2] for line, _ in GOOD if "(" in line}


@pytest.mark.parametrize("signature", CALLS.values(), ids=CALLS)
def test_the_example_of_every_call_parses(signature: Any) -> None:
    for line in signature.example.split(" or "):
        parse(line)


BAD: list[tuple[str, int, str, str]] = [
    ("mysnc(m, SYNC)", 1, "there is no call mysnc", "Did you mean msync, sync or fsync?"),
    ("msync(m, SNC)", 10, "SNC is not a mode of msync", "Did you mean SYNC or ASYNC?"),
    ("fallocate(f, 0, 8P, KEEPSIZE)", 21, "KEEPSIZE is not a mode of fallocate", "Did you mean KEEP_SIZE?"),
    ("msync(mm, SYNC)", 7, "mm is used before it is assigned", "Did you mean m?"),
    ("q[0] = 'a'", 1, "q is used before it is assigned", "Assign it first: q = mmap("),
    ("msync(f, SYNC)", 7, "f is a file, not a mapping", "Map it first: m = mmap(f,"),
    ("msync(x, SYNC)", 7, "x is a value that was read, not a mapping", "mmap was assigned to"),
    ("msync(m)", 1, "msync needs mode", "Write msync(m, SYNC)"),
    ("msync(m, SYNC, moed=1)", 16, "msync has no argument moed", "Did you mean mode?"),
    ("msync(m, SYNC, mode=SYNC)", 16, "mode is given twice", "Write msync(m, SYNC)"),
    ("msync(m, SYNC, 0, 1P, 2)", 23, "msync takes at most 4 arguments", "Write msync(m, SYNC)"),
    ("msync(m[0:1P], SYNC, 1P)", 1, "the range is given twice", "m[2P:3P]"),
    ("msync(m, SYNC, 2P, 1P)", 1, "the range is empty", "A range goes up"),
    ("msync(*m)", 7, "* has no meaning here", "Write msync(m, SYNC)"),
    ("msync(**m)", 7, "msync has no argument **", "Known: mapping, mode"),
    ("exit(1)", 6, "exit takes no arguments", "Write exit()"),
    ("exit", 1, "exit is a call", "Write exit()"),
    ("x = exit()", 5, "exit gives nothing to assign", "Write exit()"),
    ("mmap(f, 4P, READ, SHARED)", 1, "what mmap gives needs a name", "Write m = mmap("),
    ("fsync(k)", 7, "there is no file k", "Known: f, g1"),
    ('fsync("f")', 7, "a file must be a name", "without quotes"),
    ("fsync(m)", 7, "m is a mapping, not a file", "Known: f, g1"),
    ("fsync(x)", 7, "x is a value that was read, not a file", "Known: f, g1"),
    ("quota(alcie, hard=9)", 7, "there is no user alcie", "Did you mean alice?"),
    ("quota(alice)", 1, "quota needs a limit", "Write quota(alice, hard=9)"),
    ("quota(alice, hard=5000B+1)", 19, "must be a whole number", ""),
    ("free(g, 100)x", 13, "this does not parse: invalid syntax", "A line is a call"),
    ("free(g, 1000K + 1)", 9, "a number of blocks must be a whole number", ""),
    ("fork(C)", 6, "no task C is declared as a child of this one", "Known: B"),
    ("fill(f)", 6, "f is taken", "a name of its own"),
    ("sleep(8y)", 7, "there is no unit of time y", "Write 30s"),
    ("sleep(99999d)", 7, "a sleep of more than ten years", ""),
    ("n = mmap(f, 4p, READ, SHARED)", 13, "there is no unit p", "Write 4P"),
    ("n = mmap(f, 4Q, READ, SHARED)", 13, "there is no unit Q", "P (pages), B (blocks)"),
    ("n = mmap(f, 0, READ, SHARED)", 13, "a length cannot be 0", "at least 1"),
    ("n = mmap(f, 3G, READ, SHARED)", 5, "more than 2G has no place", "Map less"),
    ("n = mmap(f, 4P, RAED, SHARED)", 17, "RAED is not a right of a mapping", "Did you mean READ?"),
    ("n = mmap(f, 4P, READ|READ, SHARED)", 22, "READ stands here twice", "once"),
    ("n = mmap(f, 4P, NONE|READ, SHARED)", 17, "NONE goes with no other right", ""),
    ("n = mmap(f, 4P, READ, POPULATE)", 23, "either SHARED or PRIVATE", ""),
    ("n = mmap(f, 4P, READ, SHARED|PRIVATE)", 23, "either SHARED or PRIVATE", ""),
    ("n = mmap(f, 4P, READ, SHARED, 5)", 5, "a whole number of pages", "Write 2P"),
    ("n = mmap(ANON, 4P, READ, SHARED, 1P)", 5, "ANON has no offset", ""),
    ("f = mmap(f, 4P, READ, SHARED)", 1, "f is a file here", "Choose another"),
    ("sync = mmap(f, 4P, READ, SHARED)", 1, "sync is a call here", "Choose another"),
    ("READ = mmap(f, 4P, READ, SHARED)", 1, "READ cannot be a variable", "Choose another"),
    ('m[4P] = "C"', 3, "this is beyond the end of m", "m is 4P long"),
    ("m[3P:5P]", 3, "this is beyond the end of m", "m is 4P long"),
    ('m[4P - 1] = "CD"', 13, "this is beyond the end of m", "m is 4P long"),
    ("madvise(m, DONTNEED, 9P)", 1, "this is beyond the end of m", "m is 4P long"),
    ("m[-1]", 3, "a size cannot be negative", "Count from 0"),
    ("m[1 - 2]", 3, "a size cannot be negative", "Count from 0"),
    ("m[3T]", 3, "beyond 2T", ""),
    ("m[2T * 2T]", 3, "beyond 2T", ""),
    ("m[99999999999999999999999P]", 3, "beyond 2T", ""),
    ("m[1.5P]", 3, "must be a whole number", "4P"),
    ("m[True]", 3, "must be a whole number", "4P"),
    ("m[P]", 3, "must be a whole number", "4P"),
    ("m[0:2P:1]", 8, "a range has no step", "m[0:2P]"),
    ("m[2P:2P]", 3, "the range is empty", "A range goes up"),
    ('m[0] = ""', 8, "the text is empty", "at least one character"),
    ("m[0] = 5", 8, "must be a text in quotes", 'Write "C"'),
    ("m[0] = x", 8, "must be a text in quotes", 'Write "C"'),
    (f'm[0] = "{"x" * 65}"', 8, "the text has 65 characters, the limit is 64", ""),
    ('m[0:2P] = "C" * 1P', 11, "the range has 8192 bytes, the text 4096", "repeated"),
    ('m[0] = "\\n"', 9, "has no place in a script", "plain ASCII"),
    ("é()", 1, "has no place in a script", "plain ASCII"),
    ("m[0] =\t1", 7, "has no place in a script", "plain ASCII"),
    ('m[0] = "C', 8, "this does not parse: unterminated string literal", "A line is a call"),
    ("m = mmap(f, 4P", 9, "this does not parse: '(' was never closed", "A line is a call"),
    ("import os", 1, "this is not a line of the script", "A line is a call"),
    ("x = m", 1, "this is not a line of the script", "A line is a call"),
    ("x = y = m[0]", 1, "this is not a line of the script", ""),
    ("x += m[0]", 1, "this is not a line of the script", ""),
    ("lambda: sync()", 1, "this is not a line of the script", ""),
    ('__import__("os")', 1, "there is no call __import__", ""),
    ("os.pwrite(f, 'C', 0)", 1, "without a module", "Write pwrite(...)"),
    ("(lambda: 0)()", 2, "a call must be a name", ""),
    ("sync(); sync()", 9, "more than one statement", "a line for each"),
    ("", 1, "the line is empty", "Remove it"),
    ("   # nothing", 1, "the line is empty", "Remove it"),
    ("sync()" + " " * 200, 1, "the line has 206 characters, the limit is 200", ""),
    ("mremap(m[0:1P], 8P)", 1, "mremap keeps the mapping whole", "Write mremap(m, 8P)"),
    ("q = mremap(m, 8P)", 5, "mremap keeps the mapping whole", "Write mremap(m, 8P)"),
    ("n = mmap(f, 2G, READ, SHARED|POPULATE)", 5, "touches 524288 pages, the limit is 256", ""),
    ('pwrite(f, "C" * 2M, 0)', 1, "touches 512 pages, the limit is 256", ""),
]


@pytest.mark.parametrize(("line", "column", "message", "cure"), BAD, ids=[line[:40] for line, *_ in BAD])
def test_a_refusal_names_the_column_what_is_wrong_and_a_cure(line: str, column: int, message: str, cure: str) -> None:
    problem = refusal(line)
    assert message in problem.message
    assert cure in problem.cure
    assert (problem.line, problem.column) == (1, column)


def test_columns_count_from_the_beginning_of_an_indented_line() -> None:
    assert refusal("    m[2p] = 'C'").column == 7


@pytest.mark.parametrize("line", ["(" * 190, "[" * 190, "-" * 190 + "1", "m[" * 60, "a=" * 90, "not " * 45])
def test_deep_nesting_is_refused_like_anything_else(line: str) -> None:
    assert refusal(line).cure


def test_a_handle_stands_for_its_file() -> None:
    assert parse("h = open(f, RDWR)", 'pwrite(h, "C", 0)') == script.Pwrite("f", "C", 1, 0)
    assert parse("h = open(f, RDWR)", "close(h)") == script.Close("f", "h")
    assert parse("h = open(f, RDWR)", "n = mmap(h, 1P, READ|WRITE, SHARED)") == script.Mmap(
        "n", "f", P, RW, shared=True
    )


def test_what_goes_by_a_direct_handle_goes_past_the_cache() -> None:
    opened = "h = open(f, RDWR|DIRECT)"
    assert parse(opened, 'pwrite(h, "C" * 1P, 0)') == script.Pwrite("f", "C", P, 0, direct=True)
    assert parse(opened, 'pwrite(offset=0, data="C", file=h)') == script.Pwrite("f", "C", 1, 0, direct=True)
    assert parse(opened, "x = pread(h, 1P, 0)") == script.Pread("x", "f", P, 0, direct=True)
    assert parse(opened, "x = pread(f, 1P, 0)") == script.Pread("x", "f", P, 0)


@pytest.mark.parametrize(
    ("line", "column", "message", "cure"),
    [
        ("h = open(f, DIRECT)", 13, "a file is opened either RDWR or RDONLY", "Write one of them: RDWR or RDWR|DIRECT"),
        ("h = open(f, RDWR|RDONLY)", 13, "a file is opened either RDWR or RDONLY", "Write one of them: RDWR or RDWR|DIRECT"),
        ("h = open(f, RDWR|DIREKT)", 18, "DIREKT is not a mode of open", "DIRECT"),
        ("h = open(f, RDWR|DIRECT|DIRECT)", 25, "DIRECT stands here twice", "Write it once"),
    ],
)  # fmt: skip
def test_a_mode_of_open_that_cannot_be_says_where_and_what_to_write(
    line: str, column: int, message: str, cure: str
) -> None:
    problem = refusal(line)
    assert (problem.column, problem.message) == (column, message)
    assert cure in problem.cure


def test_a_private_mapping_needs_no_right_to_write_the_file() -> None:
    private = parse("h = open(f, RDONLY)", "n = mmap(h, 1P, READ|WRITE, PRIVATE)")
    assert private == script.Mmap("n", "f", P, RW, shared=False)


@pytest.mark.parametrize("line", ["n = mmap(h, 1P, READ|WRITE, SHARED)", "pwrite(h, 'C', 0)", "ftruncate(h, 0)"])
def test_a_handle_for_reading_cannot_write(line: str) -> None:
    assert refusal("h = open(f, RDONLY)", line).message == "h is open for reading only"


def test_a_closed_handle_is_no_file_any_more() -> None:
    assert refusal("h = open(f, RDWR)", "close(h)", "fsync(h)").message == "h is closed"


def test_a_mapping_that_grows_can_be_used_further_up() -> None:
    assert parse("mremap(m, 8P)", "m[7P]") == script.Load(None, "m", 7 * P, 7 * P + 1)


def test_a_mapping_ends_with_its_last_page() -> None:
    assert parse("n = mmap(f, 1, READ, SHARED)", "n[1P - 1]") == script.Load(None, "n", P - 1, P)
    assert "n is 1P long" in refusal("n = mmap(f, 1, READ, SHARED)", "n[1P]").cure


def test_a_refused_assignment_does_not_make_every_later_line_wrong() -> None:
    known = context()
    with pytest.raises(ScenarioError):
        parse_line("n = mmap(f, 4P, READ, SHRD)", known)
    assert parse_line("n[9P]", known) == script.Load(None, "n", 9 * P, 9 * P + 1)


def test_the_text_of_a_line_is_as_written_without_its_comment() -> None:
    assert plain('  m[0] = "#"   # a comment') == 'm[0] = "#"'


@given(st.text(alphabet="m[2P:3]=\"C'#( )4KB0x1_f,|", max_size=40))
def test_rewriting_sizes_keeps_every_column(line: str) -> None:
    code, literals = rewrite(line)
    assert len(code) <= len(line)
    changed = {column for column, (a, b) in enumerate(zip(line, code, strict=False)) if a != b}
    assert {code[column] for column in changed} <= {"0"}
    assert all(line[column].isdigit() and code[column] == "0" for column in literals)


def mutated(line: str) -> st.SearchStrategy[str]:
    """A good line with one piece cut out, doubled or overwritten."""
    at = st.integers(0, len(line))
    insert = st.text(alphabet="[](),=|\"'#0 9PX.", max_size=2)
    return st.builds(lambda a, b, new: line[: min(a, b)] + new + line[max(a, b) :], at, at, insert)


lines = st.text(max_size=60) | st.text(alphabet="mfx[2P:3P]=\"C'#( )4KB,|.*", max_size=40)


@given(lines | st.sampled_from([line for line, _ in GOOD]).flatmap(mutated))
def test_any_line_is_an_operation_or_refused_within_itself(line: str) -> None:
    try:
        parse(line)
    except ScenarioError as error:
        (problem,) = error.problems
        assert 1 <= problem.column <= len(line) + 1
        assert problem.message


@given(st.integers(0, MAX_BYTES), st.sampled_from([Geometry(), Geometry(64, 16), Geometry(4096, 1024)]))
def test_a_size_is_spelt_in_a_unit_that_means_it(size: int, geometry: Geometry) -> None:
    text = spell(size, geometry)
    line = parse_line(f"ftruncate(f, {text})", Context(("f",), geometry=geometry))
    assert line == script.Ftruncate("f", size)
