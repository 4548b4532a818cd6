"""The command that fills a matrix: its tables, its cells as runs, and that a site has what it keeps."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app import orders, packing, runs
from app.cli_matrix import cell_out
from app.links import RunLink
from app.main import create_app
from app.settings import Settings
from app.verdicts import FILE
from engine import PROPERTIES, Budget, Limits, explore, find_scenario
from engine.kernels import KERNELS
from engine.matrix import Job, cell, jobs
from engine.offers import PREFIX
from tests.app.test_cli import pagefate

pytestmark = pytest.mark.timeout(120)
BAD_INPUT, OUR_FAULT = 2, 70
STOCK, CORRECTED = "linux-2.6.9", "wli-corrected"
BOTH = f"{STOCK},{CORRECTED}"


def test_a_matrix_has_a_line_a_scenario_and_a_column_a_kernel() -> None:
    answer = pagefate("matrix", "mail", "tmpfs-read", "--kernels", BOTH, "--budget", "5000")
    assert answer.exit_code == 0
    heading, mail, tmpfs = answer.stdout.splitlines()
    assert heading.split() == [STOCK, CORRECTED]
    assert mail.split() == ["mail", "broken", "holds"]
    assert tmpfs.split() == ["tmpfs-read", *["never", "existed"] * 2]  # these kernels are run with ext2 and ext3


def test_every_kernel_is_a_column_unless_some_are_named() -> None:
    answer = pagefate("matrix", "room-enough", "--budget", "1")
    assert answer.stdout.splitlines()[0].split() == list(KERNELS)


def test_several_properties_are_a_table_each() -> None:
    answer = pagefate("matrix", "mail", "--kernels", BOTH, "--property", "no-loss,somebody-gets-sigbus")
    loss, _, mail, blank, sigbus, _, other = answer.stdout.splitlines()
    assert (loss, sigbus, blank) == ("No accepted byte is lost.", "Somebody gets SIGBUS.", "")
    # Kernel facts 7.2 and 1b: stock loses the byte and signals nobody; the corrected patch signals and loses nothing.
    assert mail.split() == ["mail", "broken", "holds"]
    assert other.split() == ["mail", "broken", "holds"]


def test_all_properties_can_be_asked_at_once() -> None:
    answer = pagefate("matrix", "mail", "--kernels", STOCK, "--property", "all", "--budget", "100", "--json")
    assert [json.loads(line)["property"] for line in answer.stdout.splitlines()] == list(PROPERTIES)


def test_the_cells_of_a_matrix_open_as_runs(client: TestClient) -> None:
    answer = pagefate("matrix", "mail", "--kernels", STOCK, "--offer", "writeback", "--json")
    (made,) = [json.loads(line) for line in answer.stdout.splitlines()]
    assert (made["scenario"], made["kernel"], made["property"], made["verdict"]) == ("mail", STOCK, "no-loss", "broken")
    link = RunLink.parse(made["url"])
    assert link is not None
    assert {store["fate"] for store in client.get(link.api()).json()["stores"]} & {"lost", "clean-unsaved"}


def test_a_cell_that_no_schedule_says_carries_its_run() -> None:
    # Where the world does two things it has tasks of its own, which the gallery's scenario has not.
    scenario, offers = find_scenario("mail"), ("writeback", "drop-caches")
    (job,) = jobs([scenario], [STOCK], "no-loss", offers, Budget())
    assert isinstance(job, Job)
    found = explore(scenario, STOCK, offers=offers, wanted=4, budget=Budget(states=20_000))
    own = [each for each in found.witnesses if any(task.startswith(PREFIX) for task in each.scenario.tasks)]
    assert own
    url = cell_out(cell(job, replace(found, witnesses=(own[0],)), 0.1)).url
    order = orders.unpacked(packing.unpack(url.partition("#")[2]))
    assert {store.fate for store in runs.perform(order, Limits()).trace.stores} & {"lost", "clean-unsaved"}


def test_a_matrix_refuses_with_a_cure() -> None:
    for arguments in (("mial",), ("mail", "--kernels", "linux-2.7"), ("mail", "--property", "no-loss,no-los")):
        refused = pagefate("matrix", *arguments)
        assert (refused.exit_code, refused.stdout) == (BAD_INPUT, "")
        assert refused.stderr.startswith("pagefate: ")


# -- what is kept -----------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a site, as the environment of a command says it."""
    monkeypatch.setenv("PAGEFATE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_a_site_has_what_a_command_kept(folder: Path) -> None:
    answer = pagefate("matrix", "mail", "--kernels", BOTH, "--property", "no-loss,no-loss-untold", "--keep")
    assert answer.exit_code == 0
    assert f"4 verdicts are kept in {folder / FILE}" in answer.stderr
    with TestClient(create_app(Settings(data=folder))) as site:
        page = site.get("/matrix/mail").text
    for kernel, word in (("linux-2_6_9", "broken"), (CORRECTED, "holds")):
        for name in ("no-loss", "no-loss-untold"):
            tag = page.partition(f'id="cell-mail-{kernel}-{name}"')[2].partition(">")[0]
            assert f'data-verdict="{word}"' in tag
    assert page.count('data-verdict="not searched"') > 4


def test_nothing_is_kept_unless_that_is_said(folder: Path) -> None:
    assert pagefate("matrix", "mail", "--kernels", STOCK).exit_code == 0
    assert not folder.exists()


def test_what_was_left_earlier_than_a_site_would_is_not_kept(folder: Path) -> None:
    answer = pagefate("matrix", "mail", "--kernels", CORRECTED, "--budget", "50", "--keep")
    assert answer.stdout.split()[-1] == "undecided"
    assert "0 verdicts are kept" in answer.stderr
    assert answer.exit_code == 0
    assert not folder.exists()


def test_where_nothing_can_be_kept_the_command_says_so_and_shows_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PAGEFATE_DATA", str(tmp_path / "file"))
    answer = pagefate("matrix", "mail", "--kernels", STOCK, "--keep")
    assert answer.exit_code == OUR_FAULT
    assert "broken" in answer.stdout
    assert "1 verdicts could not be kept" in answer.stderr
