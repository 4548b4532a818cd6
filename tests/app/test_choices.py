"""Choosing a kernel, a switch and a filesystem: what goes together, and why the rest does not."""

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import engine
from app import catalogue, links, orders
from app.choices import Choice, Menus
from app.cli import cli
from app.links import RunLink
from engine import FILESYSTEMS, KERNELS, gallery, scenario_from_data
from tests.app.test_pages import Addresses, step_of

SWITCHED = [f"{kernel.id}+{name}" for kernel in KERNELS.values() for name in kernel.switches]
NEVER = "/run/mail/linux-2.6.9?fs=ext4"


def menus(kernel: str, filesystem: str = "") -> Menus:
    scenario = gallery()["mail"]
    if filesystem:
        data = engine.to_data(scenario)
        scenario = engine.scenario_from_data(data | {"filesystem": data["filesystem"] | {"type": filesystem}})
    return Menus(scenario, engine.find_kernel(kernel), RunLink("mail", kernel, filesystem), "A.2.do_no_page.set_pte")


def choices(menu: object) -> dict[str, Choice]:
    return {choice.title: choice for _, group in menu for choice in group}  # type: ignore[attr-defined]


# --- the catalogue -------------------------------------------------------------------------------------------------


def test_every_kernel_is_in_one_family_and_every_filesystem_on_one_shelf() -> None:
    named = [kernel.id for _, kernels in catalogue.families() for kernel in kernels]
    assert sorted(named) == sorted(KERNELS)
    kinds = [kind.id for _, shelf in catalogue.shelves() for kind in shelf]
    assert sorted(kinds) == sorted(name for name in FILESYSTEMS if catalogue.kernels_with(name))


@pytest.mark.parametrize("name", [*KERNELS, *SWITCHED])
def test_a_run_is_compared_with_at_most_six_kernels_that_have_its_filesystem(name: str) -> None:
    kernel = engine.find_kernel(name)
    for scenario in gallery().values():
        if scenario.filesystem.type in kernel.filesystems:
            found = catalogue.compared(kernel, scenario)
            assert name in [each.id for each in found]
            assert len(found) <= catalogue.CARDS
            assert all(scenario.filesystem.type in each.filesystems for each in found)


@pytest.mark.parametrize("name", SWITCHED)
def test_every_switch_has_a_scenario_that_shows_it(name: str) -> None:
    kernel, _, switch = name.partition("+")
    shown = catalogue.shown_by(kernel, switch)
    assert shown, name
    assert gallery()[shown].filesystem.type in KERNELS[kernel].filesystems


# --- the menus -----------------------------------------------------------------------------------------------------


def test_a_filesystem_that_the_kernel_never_had_is_listed_with_the_reason() -> None:
    found = choices(menus("linux-2.6.9").filesystems())
    assert found["ext4"].reason == "there is one since 2.6.28, December 2008"
    assert not found["ext3"].reason
    assert found["ext2"].current
    assert found["ext2"].href == "/run/mail/linux-2.6.9", "the scenario's own needs no word in the address"
    assert found["ext3"].href_here == "/run/mail/linux-2.6.9?fs=ext3&at=A.2.do_no_page.set_pte"


def test_a_kernel_without_the_filesystem_is_listed_with_the_reason() -> None:
    found = choices(menus("linux-6.18", "ext4").kernels())
    assert found["Linux 2.6.9 as shipped"].reason
    assert found["Linux 6.1"].href == "/run/mail/linux-6.1?fs=ext4"


def test_the_switches_of_the_chosen_kernel_are_a_second_level() -> None:
    found = choices(menus("wli-corrected+N4").kernels())
    parts = found["The idea, corrected"].parts
    assert [part.code for part in parts if part.current] == ["N4"]
    assert parts[0].href == "/run/mail/wli-corrected"
    assert {part.code for part in parts} == {"", *KERNELS["wli-corrected"].switches}
    assert not any(choice.parts for title, choice in found.items() if title != "The idea, corrected")


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SWITCHED)
def test_a_switch_is_part_of_the_kernel_in_every_address(client: TestClient, name: str) -> None:
    kernel, _, switch = name.partition("+")
    url = RunLink(catalogue.shown_by(kernel, switch), name).url(step=1)
    assert name in url, "a plus sign stays readable"
    page = client.get(url)
    assert page.status_code == 200
    assert 'aria-label="Switches of' in page.text
    assert client.get(links.kernel(name)).status_code == 200


def test_a_query_may_say_a_plus_sign_as_it_is(client: TestClient) -> None:
    link = client.post("/api/v1/links", json={"scenario": "lock-drop", "kernel": "linux-2.6.9"}).json()["id"]
    said = client.get(f"/s/{link}.json?kernel=wli-corrected+N4").json()
    assert said["kernel"] == "wli-corrected+N4"


def test_the_same_gate_is_found_under_a_kernel_that_has_it_in_another_function(client: TestClient) -> None:
    trace = client.get("/run/mail-store-first/linux-6.18.json").json()["trace"]
    step = step_of(client.get("/run/mail-store-first/linux-6.18?at=A.2.do_no_page.set_pte").text)
    assert (trace[step - 1]["function"], trace[step - 1]["name"]) == ("finish_fault", "set_pte")


def test_a_combination_that_never_was_leads_to_those_there_are(client: TestClient) -> None:
    answer = client.get(NEVER, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "There is one since 2.6.28" in answer.text
    found = Addresses(answer.text).found
    for url in ("/run/mail/linux-6.18?fs=ext4", "/run/mail/linux-2.6.9", "/run/mail/linux-2.6.9?fs=ext3"):
        assert url in found
        assert client.get(url).status_code == 200


def test_a_scenario_whose_filesystem_the_kernel_lacks_offers_the_kernels_that_have_it(client: TestClient) -> None:
    answer = client.get("/run/relock-race/linux-6.18", headers={"Accept": "text/html"})
    assert answer.status_code == 422
    assert "/run/relock-race/linux-2.6.18" in Addresses(answer.text).found


@pytest.mark.parametrize("url", ["/run/mail/linux-2.6.9.json?fs=ext4", "/api/v1/runs/mail/linux-2.6.9?fs=ext4"])
def test_a_program_is_told_the_same_as_a_problem(client: TestClient, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"].endswith("#no-such-combination")
    assert "since 2.6.28" in problem["detail"]
    assert "linux-6.18" in problem["cure"]


def test_an_unknown_switch_is_not_found_and_names_those_there_are(client: TestClient) -> None:
    answer = client.get("/run/mail/wli-corrected+N5x.json")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#unknown-switch")
    assert "N5" in answer.json()["cure"]
    posted = client.post("/api/v1/runs", json={"scenario": "mail", "kernel": "linux-2.6.9+N4"})
    assert posted.status_code == 422
    assert posted.json()["problems"][0]["path"] == "/kernel"


def test_the_command_refuses_in_a_line() -> None:
    for words in (["--filesystem", "ext4", "--kernel", "linux-2.6.9"], ["--kernel", "wli-corrected+ZZ"]):
        done = CliRunner().invoke(cli, ["run", "mail", *words])
        assert done.exit_code == 2
        assert done.stderr.startswith("pagefate: ")
        assert done.stderr.count("\n") == 1


# --- pages and lists -----------------------------------------------------------------------------------------------


def test_the_api_lists_switches_filesystems_and_reasons(client: TestClient) -> None:
    found = {kernel["id"]: kernel for kernel in client.get("/api/v1/kernels").json()}
    old = found["linux-2.6.9"]
    assert {*old["filesystems"], *old["absent"]} == set(FILESYSTEMS)
    assert found["wli-corrected"]["switches"]["N4"]["kernel"] == "wli-corrected+N4"
    assert found["linux-6.18"]["lock_names"]["mmap_sem"] == "mmap_lock"
    kinds = {kind["id"]: kind for kind in client.get("/api/v1/filesystems").json()}
    assert {*kinds["ext4"]["kernels"], *kinds["ext4"]["absent"]} == set(KERNELS)
    assert client.get("/api/v1/filesystems/ext4").json() == kinds["ext4"]
    assert client.get("/api/v1/filesystems/ext9").status_code == 404


@pytest.mark.parametrize("name", [name for name in FILESYSTEMS if catalogue.kernels_with(name)])
def test_a_filesystem_has_a_page_that_leads_to_kernels_and_runs(client: TestClient, name: str) -> None:
    page = client.get(links.filesystem(name)).text
    found = Addresses(page).found
    assert FILESYSTEMS[name].reserves in page.replace("&#39;", "'")
    assert {links.kernel(kernel.id) for kernel in catalogue.kernels_with(name)} <= set(found)
    assert any(url.startswith("/run/") for url in found)


def test_a_kernels_page_says_which_locks_a_function_takes_by_its_own_names(client: TestClient) -> None:
    assert "mmap_lock</span>" in client.get("/kernel/linux-6.18").text
    assert "mmap_sem</span>" in client.get("/kernel/linux-2.6.9").text


def test_the_command_lists_kernels_with_switches_and_filesystems() -> None:
    said = CliRunner().invoke(cli, ["kernels"]).stdout
    assert all(name in said for name in (*KERNELS, *SWITCHED))
    assert "ext4-nodelalloc" in CliRunner().invoke(cli, ["filesystems"]).stdout


def test_the_gallery_has_its_contents_at_the_top_and_every_card_its_filesystem(client: TestClient) -> None:
    page = client.get("/").text
    for scenario in gallery().values():
        assert f'href="#{links.slug(scenario.chapter)}"' in page
        assert f'id="{links.slug(scenario.chapter)}"' in page
        assert links.scenario(scenario.id) in page
        assert links.RunLink(scenario.id, catalogue.home(scenario).id).url() in page
    cards = page.split('<li class="card">')[1:]
    assert len(cards) == len(gallery())
    assert all("/filesystem/" in card and "question" in card for card in cards)


def test_on_another_filesystem_a_disk_keeps_no_pool_that_it_cannot_have() -> None:
    disk = {"type": "ext4", "blocks": 12, "reserved_clusters": 2}
    data = {"title": "t", "filesystem": disk, "files": {"f": {"size": 4096}}}
    scenario = scenario_from_data(data | {"tasks": {"A": {"user": "root", "script": ["fsync(f)"]}}})
    kept = {kind: orders.order(scenario, "linux-6.18", kind).scenario for kind in ("ext4-nodelalloc", "xfs")}
    assert kept["ext4-nodelalloc"].filesystem.reserved_clusters == 2
    assert kept["xfs"].filesystem.reserved_clusters is None
