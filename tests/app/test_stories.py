"""Stories: hand-written ones happen as they are told, and every run has one."""

import re

import pytest
from fastapi.testclient import TestClient

import engine
from app import links, narration, stories
from app.catalogue import home
from app.stories import Beat, Place
from engine import KERNELS, ScenarioError, Trace, gallery, load_scenario

WRITTEN = [name for name, scenario in gallery().items() if scenario.beats]
MAIL = "/run/mail/linux-2.6.9"
TINY = "title: x\ntasks: {A: {user: a, script: [exit()]}}\nbeats:\n"


def told(scenario: str, kernel: str = "") -> tuple[Trace, tuple[Beat, ...]]:
    chosen = KERNELS[kernel] if kernel else home(gallery()[scenario])
    trace = engine.run(gallery()[scenario], chosen)
    sentences = narration.tell(trace, gallery()[scenario], chosen)
    return trace, stories.story_of(trace, gallery()[scenario], chosen, sentences)


def test_every_scenario_has_a_story_written_by_hand() -> None:
    assert set(WRITTEN) == set(gallery())


@pytest.mark.parametrize("name", WRITTEN)
def test_every_beat_happens_on_the_scenarios_own_kernel_in_its_order(name: str) -> None:
    trace, beats = told(name)
    assert [beat.say for beat in beats] == [beat.say for beat in gallery()[name].beats], "an event never happens"
    steps = [beat.step for beat in beats]
    assert steps == sorted(set(steps))
    assert steps[0] == 0
    assert steps[-1] == len(trace.steps), "the story ends where the run does"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_story_takes_about_a_minute(name: str) -> None:
    words = sum(len(beat.say.split()) for beat in gallery()[name].beats)
    assert 80 < words < 200  # 240 words are a minute for a quick reader, and the picture wants some of it
    assert all(len(beat.say) < 190 for beat in gallery()[name].beats), "a beat is read at a glance"


@pytest.mark.parametrize("name", WRITTEN)
def test_a_beat_that_speaks_of_a_loss_or_an_error_stands_where_it_is(name: str) -> None:
    trace, beats = told(name)
    for beat in beats:
        for errno in re.findall(r"\bE[A-Z]{3,}\b", beat.say):
            before = [trace.steps[n - 1].answer or "" for n in range(1, beat.step + 1)]
            assert any(errno in answer for answer in before), (beat, errno)


@pytest.mark.parametrize("name", list(gallery())[::7])
@pytest.mark.parametrize("kernel", ["", "linux-6.18"])
def test_every_run_has_a_story(name: str, kernel: str) -> None:
    if kernel and gallery()[name].filesystem.type not in KERNELS[kernel].filesystems:
        pytest.skip("never existed")
    trace, beats = told(name, kernel)
    assert 2 <= len(beats) <= stories.MOST
    assert (beats[0].step, beats[-1].step) == (0, len(trace.steps))
    assert all(beat.say.strip() for beat in beats)


def made(name: str) -> tuple[Trace, tuple[Beat, ...]]:
    """The story of a scenario that has lost the one written for it."""
    scenario = gallery()[name].model_copy(update={"beats": ()})
    trace = engine.run(scenario, home(scenario))
    sentences = narration.tell(trace, scenario, home(scenario))
    return trace, stories.story_of(trace, scenario, home(scenario), sentences)


@pytest.mark.parametrize("name", gallery())
def test_a_story_that_is_made_can_be_read_in_a_minute_and_says_nothing_twice(name: str) -> None:
    _, beats = made(name)
    assert sum(len(beat.say.split()) for beat in beats) <= 230, "the beginning, the end and three beats may be long"
    questions = [beat.say for beat in beats if "does not lead" in beat.say]
    assert len(questions) == len(set(questions))
    assert not any("Store " in beat.say and " is now " in beat.say for beat in beats if "private" not in beat.say)


@pytest.mark.parametrize("name", ["round-the-question", "this-should-not-happen", "xfstests-generic-325"])
def test_a_story_that_is_made_keeps_the_loss_when_there_is_no_room_for_all(name: str) -> None:
    trace, beats = made(name)
    lost = {step.n for step in trace.steps if any(change.new in ("lost", "clean-unsaved") for change in step.fates)}
    assert lost
    assert lost <= {beat.step for beat in beats}


def test_another_kernel_is_not_told_what_happens_on_this_one() -> None:
    _, beats = told("mail", "wli-corrected")
    assert not {beat.say for beat in beats} & {beat.say for beat in gallery()["mail"].beats}
    assert any("gets SIGBUS" in beat.say for beat in beats)
    assert beats[-1].say.endswith("Nothing that was accepted is lost.")


def test_the_way_through_a_story() -> None:
    beats = (Beat(0, "a"), Beat(5, "b"), Beat(9, "c"))
    at = {step: Place(beats, step) for step in range(10)}
    assert [at[step].onward for step in (0, 3, 5, 6, 9)] == [5, 0, 9, 5, 9]
    assert [at[step].on_beat for step in (0, 3, 5, 9)] == [True, False, True, True]
    assert [at[step].before for step in (0, 5, 9)] == [0, 0, 5]


# --- the language --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("  - {at: nonsense, say: hello}\n", 4, "names no event"),
        ("  - {at: start}\n", 4, "say is missing"),
        ("  - {at: start, say: a, when: now}\n", 4, "no key"),
        ("  - {at: start, say: ''}\n", 4, "empty"),
    ],
)
def test_a_beat_that_is_wrong_is_told_where_and_why(text: str, line: int, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(TINY + text)
    assert caught.value.problems[0].line == line
    assert said in caught.value.problems[0].message


def test_a_story_survives_its_text() -> None:
    scenario = gallery()["mail"]
    assert load_scenario(engine.to_yaml(scenario)) == scenario


# --- the page ------------------------------------------------------------------------------------------------------


def test_the_gallery_leads_to_the_story_of_the_mail(client: TestClient) -> None:
    page = client.get("/").text
    assert f'href="{MAIL}?story=1#play">Start: the mail&#39;s experiment in a minute</a>' in page
    assert links.story("mail", "linux-2.6.9") == f"{MAIL}?story=1"


def test_a_story_opens_at_its_beginning_and_goes_on_by_links(client: TestClient) -> None:
    page = client.get(f"{MAIL}?story=1").text
    seen = []
    while True:
        step = re.search(r'data-step="(\d+)" data-self="[^"]*story=1" [^>]*data-story', page)
        assert step is not None
        seen.append(int(step[1]))
        onward = re.search(r'data-story="on" href="([^"]+)"', page)
        assert onward is not None
        address = onward[1].replace("&amp;", "&")
        if address.endswith(f"step={seen[-1]}"):
            break
        page = client.get(address).text
    assert seen == [beat.step for beat in told("mail")[1]]


def test_who_strays_is_led_back(client: TestClient) -> None:
    page = client.get(f"{MAIL}?story=1&step=50").text
    assert f'data-story="on" href="{MAIL}?story=1&amp;step=43"' in page
    assert f'data-story="free" href="{MAIL}?step=50"' in page
    assert 'data-at="story" aria' in page, "nothing is said here"


def test_another_kernel_tells_its_own_story_from_the_same_moment_and_says_so(client: TestClient) -> None:
    page = client.get(f"{MAIL}?story=1&step=53").text
    assert 'href="/run/mail/linux-2.6.18?story=1&amp;at=A.3.store.write" data-keep' in page
    assert 'class="made"' not in page
    there = client.get("/run/mail/linux-2.6.18?story=1&at=A.3.store.write").text
    step = int(re.search(r'data-step="(\d+)"', there)[1])  # type: ignore[index]
    assert step in [beat.step for beat in told("mail", "linux-2.6.18")[1]], "it goes on at a beat"
    assert f'class="made">Made from this run. <a href="{MAIL}?story=1">The written one: 2.6.9</a>' in there


def test_a_filesystem_keeps_the_mode_and_data_does_not(client: TestClient) -> None:
    page = client.get(f"{MAIL}?predict=1&step=9").text
    assert 'href="/run/mail/linux-2.6.9?fs=ext3&amp;predict=1&amp;at=' in page
    assert 'hx-get="/run/mail/linux-2.6.9?fs=ext3" hx-include=".here"' in page
