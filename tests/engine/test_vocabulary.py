"""The tables of the language: they say what the reader takes, no more and no less, and every example runs."""

import pytest

import engine
from engine import Scenario, scenario_from_data
from engine.calls import CALLS
from engine.reading import RESERVED
from engine.vocabulary import MEANS, calls, keys

BEFORE = {
    "m[": ["m = mmap(f, 4P, READ|WRITE, SHARED)"],
    "(m": ["m = mmap(f, 4P, READ|WRITE, SHARED)"],
    "free(": ["fill(g)"],
    "clone(": ["punch(g1, 0, 4P)"],
}
SILENT = {"power_fails", "exit", "shutdown"}
"""After these there is nobody to answer."""
EXAMPLES = [(call.name, example) for call in calls() for example in call.examples]


def running(example: str) -> Scenario:
    """A scenario in which a line of the table is run, after what it needs."""
    before = next((lines for mark, lines in BEFORE.items() if mark in example), [])
    return scenario_from_data(
        {
            "title": example,
            "filesystem": {"type": "xfs", "blocks": 32},
            "files": {name: {"owner": "alice", "size": "4P", "data": {"0P": "a"}} for name in ("f", "g1")},
            "tasks": {
                "A": {"user": "alice", "script": [*before, example]},
                **({"B": {"child_of": "A", "script": ["sync()"]}} if "fork" in example else {}),
            },
        }
    )


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_runs_to_its_end(name: str, example: str) -> None:
    scenario = running(example)
    trace = engine.run(scenario, "linux-6.18")
    line = len(scenario.tasks["A"].script)
    assert example.split("(", maxsplit=1)[0].endswith(name)
    assert trace.complete
    assert any((step.task, step.line) == ("A", line) for step in trace.steps)
    answer = trace.state_at(len(trace.steps)).get(f"line/A.{line}.result")
    assert name in SILENT or (answer is not None and not str(answer).startswith("E"))


def test_every_call_has_its_arguments_and_a_sentence() -> None:
    assert [call.name for call in calls()] == list(CALLS)
    for call in calls():
        assert call.says.endswith(".")
        assert all(each.kind in MEANS for each in call.arguments), call.name
        assert all(each.words for each in call.arguments if each.kind == "words"), call.name


def test_every_word_of_an_argument_is_taken_there() -> None:
    words = {word for call in calls() for each in call.arguments for word in each.words}
    assert words >= {"ANON", "SHARED", "RDWR", "SYNC", "DONTNEED"}
    assert words >= RESERVED
    for word in ("SYNC", "ASYNC", "INVALIDATE"):
        assert running(f"msync(m, {word})").tasks["A"].script[-1] == f"msync(m, {word})"


def test_every_key_says_what_it_means() -> None:
    assert {key.place for key in keys()} >= {"", "machine", "filesystem", "filesystem/quota/*", "files/*", "tasks/*"}
    assert [key.name for key in keys() if not key.says] == []
    frames = next(key for key in keys() if (key.place, key.name) == ("machine", "frames"))
    assert (frames.kind, frames.default, frames.least, frames.most) == ("whole number", "16", 4, 1024)
    assert "ext4" in next(key for key in keys() if key.name == "type").words
