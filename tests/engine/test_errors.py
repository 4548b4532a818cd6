import copy
import pickle

import pytest

from engine.errors import (
    EngineError,
    Panic,
    Problem,
    ScenarioError,
    ScheduleError,
    UnknownKernel,
    UnknownScenario,
    near,
    short,
    suggestion,
)


def test_a_message_says_where_what_and_what_would_be_right() -> None:
    error = EngineError("there is no file h", where="A, line 3", cure="Did you mean f?")
    assert str(error) == "A, line 3: there is no file h. Did you mean f?"
    assert str(EngineError("what?", cure="Ask")) == "what? Ask."


def test_a_problem_is_said_as_compilers_say_it() -> None:
    assert Problem(3, 9, "/title", "title is empty", "Write one").text("x.yaml") == (
        "x.yaml:3:9: title is empty. Write one."
    )


def test_a_problem_of_plain_data_is_found_by_its_path() -> None:
    assert Problem(0, 0, "/tasks/A", "task A is empty").text("body") == "body/tasks/A: task A is empty."
    assert Problem(0, 7, "/tasks/A/script/2", "no").text("body") == "body/tasks/A/script/2:7: no."


def test_problems_stand_in_reading_order_and_one_a_line() -> None:
    error = ScenarioError([Problem(9, 1, "", "late"), Problem(2, 8, "", "b"), Problem(2, 3, "", "a")], name="x")
    assert [problem.message for problem in error.problems] == ["a", "b", "late"]
    assert str(error) == "x:2:3: a.\nx:2:8: b.\nx:9:1: late."


def test_problems_of_plain_data_keep_the_order_they_were_found_in() -> None:
    error = ScenarioError([Problem(0, 7, "/b", "first"), Problem(0, 2, "/a", "second")])
    assert [problem.message for problem in error.problems] == ["first", "second"]


@pytest.mark.parametrize("error", [UnknownKernel, UnknownScenario])
def test_an_unknown_name_brings_near_ones(error: type[UnknownKernel] | type[UnknownScenario]) -> None:
    assert error("linux-2.6.8", ["linux-2.6.9", "wli-posted"]).cure == "Did you mean linux-2.6.9?"
    assert error("zzz", ["linux-2.6.9", "wli-posted"]).cure == "Known: linux-2.6.9, wli-posted"


def test_a_suggestion_is_short_however_much_is_known() -> None:
    assert suggestion("?", [f"n{i}" for i in range(100)]).endswith("n11 and 88 more")
    assert suggestion("x", []) == "None is known here"


def test_near_names_ignore_case_and_come_as_they_are_spelt() -> None:
    assert near("Shared", ["SHARED", "PRIVATE"]) == ["SHARED"]


def test_what_a_stranger_wrote_is_quoted_short_and_in_ascii() -> None:
    assert short("é" * 100).startswith("'\\xe9")
    assert len(short("x" * 10_000)) == 40


@pytest.mark.parametrize(
    "error",
    [
        ScenarioError([Problem(1, 2, "/a", "x", "y")], name="n"),
        ScheduleError("x", where="A@b.c>D", cure="y"),
        UnknownKernel("a", ["b"]),
        Panic("entry not none", "A", "do_no_page.set_pte"),
    ],
)
def test_errors_survive_copying_and_pickling(error: EngineError) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - our own pickle
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))


def test_a_panic_names_the_task_and_the_step() -> None:
    assert str(Panic("entry not none", "A", "do_no_page.set_pte")) == "A do_no_page.set_pte: entry not none."
