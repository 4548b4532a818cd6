import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import KERNELS, ScenarioError, find_scenario, gallery, known_steps
from engine.errors import ScheduleError
from engine.schedule import KERNEL_TASKS, Preemption, Schedule, parse_schedule, schedule_of
from tests.engine.build import make

TASKS = ("A", "B", "C")
STEPS = {"do_no_page": ("pte_none", "enough_space", "set_pte"), "pdflush": ("run",)}


def parse(text: str) -> Schedule:
    return parse_schedule(text, tasks=TASKS, steps=STEPS)


def refusal(text: str) -> ScheduleError:
    with pytest.raises(ScheduleError) as caught:
        parse(text)
    return caught.value


def test_an_order_and_a_preemption() -> None:
    assert parse("B.A,A@do_no_page.enough_space>B") == Schedule(
        ("B", "A"), (Preemption("A", "do_no_page", "enough_space", 1, "B"),)
    )


def test_a_later_time_is_counted_from_one() -> None:
    schedule = parse("A@do_no_page.enough_space#2>B")
    assert schedule.switches[0].occurrence == 2
    assert str(schedule) == "A@do_no_page.enough_space#2>B"
    assert parse("A@do_no_page.enough_space#1>B") == parse("A@do_no_page.enough_space>B")


def test_an_empty_schedule_is_as_the_scenario_lists_its_tasks() -> None:
    assert parse("") == Schedule()
    assert str(Schedule()) == ""
    assert Schedule().complete(TASKS) == TASKS


def test_tasks_the_order_does_not_name_come_behind() -> None:
    assert parse("C").complete(TASKS) == ("C", "A", "B")


def test_a_list_mixes_names_and_preemptions() -> None:
    items = ["B", "A@do_no_page.set_pte>B", "A"]
    assert schedule_of(items, tasks=TASKS) == parse("B.A,A@do_no_page.set_pte>B")


@pytest.mark.parametrize("name", KERNEL_TASKS)
def test_tasks_of_the_kernel_may_be_switched_to_but_not_ordered(name: str) -> None:
    assert parse(f"A@do_no_page.set_pte>{name}").switches[0].to == name
    assert "preemption" in refusal(f"A.{name}").cure


def test_without_steps_functions_are_taken_on_trust() -> None:
    assert parse_schedule("A@no_such.step>B", tasks=TASKS).switches[0].function == "no_such"


@pytest.mark.parametrize(
    ("text", "item", "message", "cure"),
    [
        ("D", "D", "there is no task 'D'", "Known: A, B, C"),
        ("A,A", "A", "task A stands in the order twice", "Name each task once"),
        ("A B", "schedule", "'A B' is no part of a schedule", "An item is an order"),
        ("A,,B", "schedule", "'' is no part of a schedule", "An item is an order"),
        ("A@do_no_page>B", "schedule", "'A@do_no_page>B' is not a preemption", "Write it as A@do_no_page."),
        ("A@do_no_page.set_pte", "schedule", "is not a preemption", "Write it as"),
        ("A@do_no_page.set_pte#0>B", "schedule", "is not a preemption", "#2>B for the second time"),
        ("A@do_no_page.set_pte>kswpd", "A@", "there is no task 'kswpd'", "Did you mean kswapd?"),
        ("A@do_no_page.set_pte>A", "A@", "a task cannot preempt itself", "another task after the >"),
        ("A@do_no_pge.set_pte>B", "A@", "there is no function 'do_no_pge'", "Did you mean do_no_page?"),
        ("A@do_no_page.st_pte>B", "A@", "do_no_page has no step 'st_pte'", "Did you mean set_pte?"),
        ("A@do_no_page.set_pte#2000>B", "A@", "the limit of # is 1000", "earlier"),
        ("A@do_no_page.set_pte>B,A@do_no_page.set_pte>C", "A@", "two preemptions at one place", "#2"),
    ],
)
def test_a_refusal_names_the_item_what_is_wrong_and_a_cure(text: str, item: str, message: str, cure: str) -> None:
    error = refusal(text)
    assert error.where.startswith(item)
    assert message in error.message
    assert cure in error.cure


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_step_of_every_kernel_can_be_named(kernel: str) -> None:
    for name, function in KERNELS[kernel].functions.items():
        for step in function.steps:
            text = f"A@{name}.{step}#3>B"
            assert str(parse_schedule(text, tasks=TASKS, steps=known_steps())) == text


@pytest.mark.parametrize("scenario", gallery())
def test_a_scenarios_own_schedule_survives_being_text(scenario: str) -> None:
    found = find_scenario(scenario)
    schedule = found.default_schedule()
    assert parse_schedule(str(schedule), tasks=found.tasks, steps=known_steps()) == schedule


@pytest.mark.parametrize(
    "text",
    [
        "A@do_no_page.enough_spice>B",
        "A@do_no_pge.enough_space>B",
        ",".join(f"A@do_no_page.set_pte#{n}>B" for n in range(1, 64)) + ",A@do_no_page.x>B",
        "A@" + "d" * 3900 + "." + "s" * 3900 + ">B",
        "A." * 3999 + "A",
    ],
)
def test_a_long_text_is_refused_with_a_cure(text: str) -> None:
    with pytest.raises(ScheduleError) as caught:
        parse_schedule(text, tasks=TASKS, steps=known_steps())
    assert caught.value.cure


def test_a_scenarios_own_schedule_is_held_to_the_steps_there_are() -> None:
    with pytest.raises(ScenarioError) as caught:
        make({"A": ["sync()"], "B": ["sync()"]}, schedule=["B", "A@do_no_page.enough_spice>B"])
    [problem] = caught.value.problems
    assert problem.path == "/schedule/1"
    assert problem.cure == "Did you mean enough_space?"


def test_there_is_a_limit_to_length_and_number() -> None:
    assert "the limit is 8000" in refusal("A" * 8001).message
    items = ",".join(f"A@do_no_page.set_pte#{n}>B" for n in range(1, 67))
    assert refusal(items).message == "more than 64 preemptions"


names = st.from_regex(r"[a-z_][a-z0-9_]{0,12}", fullmatch=True)


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    order = draw(st.lists(st.sampled_from(TASKS), unique=True))
    runners = st.sampled_from((*TASKS, *KERNEL_TASKS))
    pairs = st.tuples(runners, names, names, st.integers(1, 1000), runners).filter(lambda p: p[0] != p[4])
    points = draw(st.lists(pairs, max_size=8, unique_by=lambda p: p[:4]))
    return Schedule(tuple(order), tuple(Preemption(*point) for point in points))


@given(schedules())
def test_a_schedule_and_its_text_say_the_same(schedule: Schedule) -> None:
    assert parse_schedule(str(schedule), tasks=TASKS) == schedule


@given(st.text(max_size=60) | st.text(alphabet="AB@.#>,12do_", max_size=30))
def test_any_text_is_a_schedule_or_refused_with_a_cure(text: str) -> None:
    read = attempt(text)
    if isinstance(read, ScheduleError):
        assert (bool(read.where), bool(read.cure)) == (True, True)
    else:
        assert parse_schedule(str(read), tasks=TASKS) == read


def attempt(text: str) -> Schedule | ScheduleError:
    try:
        return parse_schedule(text, tasks=TASKS)
    except ScheduleError as error:
        return error
