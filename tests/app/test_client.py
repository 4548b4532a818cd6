"""The client for Python, and the commands that have no need of it, against a site that runs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import engine
from app.client import Client, Refused, Unreachable
from app.wire_verdicts import VerdictOut
from tests.app.conftest import INLINE, INLINE_YAML
from tests.app.seeking import LONG
from tests.app.test_cli import pagefate
from tests.running import running

KERNEL = "linux-2.6.9"
ENTRY = "mm/A/pte/0x40002.entry"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with running(tmp_path_factory.mktemp("site")) as address:
        yield Client(address)


def test_a_run_is_a_struct(site: Client) -> None:
    run = site.run("mail", KERNEL, trace=True)
    assert (run.kernel, run.outcome) == (KERNEL, "lost-silent")  # kernel facts 1a: pdflush cleans the page, nobody asks
    assert [step.n for step in run.trace or ()] == list(range(1, run.steps + 1))
    assert site.run("mail", KERNEL).trace is None


@pytest.mark.parametrize("scenario", [INLINE, INLINE_YAML])
def test_a_scenario_of_ones_own_may_be_an_object_or_its_text(site: Client, scenario: object) -> None:
    run = site.run(scenario, KERNEL, watch=True)  # type: ignore[arg-type]  # either is taken
    assert run.url.startswith("/s/")
    assert run.violations
    assert run.url == site.link(scenario, KERNEL).url  # type: ignore[arg-type]


def test_steps_come_from_page_to_page(site: Client) -> None:
    run = site.run("mail", KERNEL, trace=True)
    assert list(site.steps(run.url)) == run.trace
    some = list(site.steps(run.url, task="A", function="do_no_page"))
    assert some == [step for step in run.trace or () if (step.task, step.function) == ("A", "do_no_page")] != []


def test_everything_about_a_run_has_its_method(site: Client) -> None:
    for url in (site.run("mail", KERNEL).url, site.link("mail", KERNEL).url):
        moment = site.step(url, 43)
        assert moment.did is not None
        found = site.provenance(url, ENTRY, 43)
        assert found.value == moment.cells[ENTRY] == found.writes[0].new
        assert (ENTRY, None, found.value) in site.diff(url, 42, 43).changes


def test_what_there_is(site: Client) -> None:
    assert {scenario.id for scenario in site.scenarios()} == set(engine.gallery())
    assert {kernel.id for kernel in site.kernels()} == set(engine.KERNELS)
    assert {kind.id for kind in site.filesystems()} == set(engine.FILESYSTEMS)
    compared = site.compare("mail", KERNEL, "wli-corrected")
    assert [column.outcome for column in compared.columns] == ["lost-silent", "refused"]


def test_a_verdict_is_waited_for(site: Client) -> None:
    found = site.verdict("mail", "wli-corrected", offers=["writeback"], property="no-loss-untold")
    assert (found.state, found.verdict) == ("done", "holds")  # kernel facts 7.2: the store is refused
    broken = site.verdict("mail", KERNEL)
    (witness,) = broken.witnesses
    assert site.run("mail", KERNEL, schedule=witness.schedule).stores[0].fate == "lost"
    with pytest.raises(Refused, match="no-los"):
        site.verdict("mail", KERNEL, property="no-los")


def test_who_waits_for_a_verdict_may_hear_how_far_it_is(site: Client) -> None:
    heard: list[VerdictOut] = []
    found = site.verdict("mail", KERNEL, offers=LONG, seconds=4, witnesses=20, told=heard.append)
    assert heard
    assert {now.state for now in heard} <= {"waiting", "searching"}
    assert {way.says for now in heard for way in now.witnesses} <= {way.says for way in found.witnesses}


def test_foresight_has_a_word_for_each_step(site: Client) -> None:
    run = site.run("mail", KERNEL)
    assert len(site.foresight(run.url).outlook) == run.steps + 1


def test_a_refusal_says_what_would_be_right(site: Client) -> None:
    with pytest.raises(Refused, match=r"linux-2.7.*Did you mean") as refused:
        site.run("mail", "linux-2.7")
    assert refused.value.problem.status == 422
    assert refused.value.problem.problems[0].path == "/kernel"


def test_nobody_there_is_said_in_a_sentence() -> None:
    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9/.* can not be asked"):
        Client("http://127.0.0.1:9").run("mail")


def test_an_address_that_is_no_run_is_refused_before_anybody_is_asked(site: Client) -> None:
    with pytest.raises(ValueError, match="/run/SCENARIO/KERNEL"):
        site.step("/kernel/linux-2.6.9", 1)


def test_a_command_makes_a_link_that_leads_to_the_run(site: Client, tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(INLINE_YAML)
    answer = pagefate("link", str(mine), "--kernel", KERNEL, "--server", site.site)
    assert answer.exit_code == 0
    assert answer.stdout.strip() == site.site + site.link(INLINE, KERNEL).url
    refused = pagefate("link", "mail", "--kernel", "linux-2.7", "--server", site.site)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "linux-2.7" in refused.stderr


@pytest.mark.parametrize(
    ("command", "part"),
    [
        (("steps", "mail", "--json"), "steps"),
        (("step", "mail", "43", "--json"), "steps/43"),
        (("diff", "mail", "40", "44", "--json"), "diff"),
        (("provenance", "mail", ENTRY, "--json"), "provenance"),
    ],
)
def test_a_command_says_what_the_api_says(site: Client, command: tuple[str, ...], part: str) -> None:
    url, said = site.run("mail", KERNEL).url, pagefate(*command).stdout
    asked: object = {
        "steps": lambda: list(site.steps(url)),
        "steps/43": lambda: [site.step(url, 43)],
        "diff": lambda: [site.diff(url, 40, 44)],
        "provenance": lambda: [site.provenance(url, ENTRY)],
    }[part]()  # type: ignore[no-untyped-call]
    assert [json.loads(line) for line in said.splitlines()] == json.loads(msgspec.json.encode(asked))


def test_text_names_events_and_values() -> None:
    wrote = pagefate("provenance", "mail", ENTRY).stdout
    assert "A.2.do_no_page.set_pte" in wrote
    assert "A.4.zap_pte_range.zap_pte" in wrote
    assert f"{ENTRY} " in pagefate("diff", "mail", "40", "44").stdout
    assert len(pagefate("steps", "mail", "--from", "5", "--to", "9").stdout.splitlines()) == 5
    compared = pagefate("compare", "mail", "--kernels", "linux-2.6.9,wli-corrected")
    assert "lost-silent" in compared.stdout
    assert "ENOSPC" in compared.stdout


@pytest.mark.parametrize(
    "command",
    [
        ("step", "mail", "9999"),
        ("diff", "mail", "0", "9999"),
        ("provenance", "mail", "page/99.dirty"),
        ("compare", "mial"),
    ],
)
def test_a_command_refuses_with_the_cure(command: tuple[str, ...]) -> None:
    refused = pagefate(*command)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert re.match(
        r"pagefate: there is no .*(\. The run has|Did you mean)|pagefate: the run has no cell .*\.", refused.stderr
    )
