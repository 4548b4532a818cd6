"""The commands that search: their exit codes, what they print, and that they say what the API says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.app.conftest import INLINE_YAML
from tests.app.seeking import LONG
from tests.app.test_cli import pagefate

pytestmark = pytest.mark.timeout(120)
HOLDS, BROKEN, BAD_INPUT, UNDECIDED = 0, 1, 2, 3


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("mail", "--kernel", "wli-corrected"), HOLDS),  # kernel facts 7.2: the store is refused
        (("mail", "--kernel", "linux-2.6.9"), BROKEN),  # 7.2: accepted, and lost
        (("mail", "--kernel", "linux-2.6.9", "--property", "no-los"), BAD_INPUT),
        (("mail", "--kernel", "linux-2.6.9", "--offer", "write-back"), BAD_INPUT),
        (("mial",), BAD_INPUT),
        (("mail", "--kernel", "wli-corrected", "--budget", "50"), UNDECIDED),
    ],
)
def test_the_exit_code_says_the_verdict(arguments: tuple[str, ...], code: int) -> None:
    answer = pagefate("explore", *arguments)
    assert answer.exit_code == code
    assert bool(answer.stderr) == (code == BAD_INPUT)


def test_a_verdict_is_told_in_sentences() -> None:
    held = pagefate("explore", "mail", "--kernel", "wli-corrected").stdout
    assert held.startswith("No accepted byte is lost: holds: ")
    few = pagefate("explore", "mail", "--kernel", "wli-corrected", "--budget", "50").stdout
    assert "undecided: the budget of states was spent after 50 states" in few
    never = pagefate("explore", "mail", "--property", "somebody-gets-sigbus").stdout
    assert "Somebody gets SIGBUS: broken: it happens in none of" in never


@pytest.mark.parametrize("kernel", ["wli-corrected", "wli-posted"])
def test_several_cores_say_what_one_says(kernel: str) -> None:
    one = pagefate("explore", "zero-page", "--kernel", kernel)
    two = pagefate("explore", "zero-page", "--kernel", kernel, "--cores", "2")
    assert (two.exit_code, two.stdout) == (one.exit_code, one.stdout)
    curves = [
        pagefate("curve", "zero-page", "--kernel", kernel, "--to", "2", *cores) for cores in ((), ("--cores", "2"))
    ]
    assert curves[0].stdout == curves[1].stdout


@pytest.mark.parametrize("command", [("explore", "mail"), ("matrix", "mail"), ("curve", "mail")])
def test_a_cluster_that_is_not_there_is_said_with_a_cure(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.crew.SECONDS", 1)
    nobody = pagefate(*command, "--cluster", "tcp://127.0.0.1:9")
    assert nobody.exit_code == BAD_INPUT
    assert "no cluster answers at tcp://127.0.0.1:9" in nobody.stderr or "pip install" in nobody.stderr
    both = pagefate(*command, "--cluster", "tcp://127.0.0.1:9", "--cores", "2")
    assert both.exit_code == BAD_INPUT
    assert "Leave one of them out" in both.stderr


def test_a_witness_is_a_schedule_that_runs_and_an_address_that_opens(client: TestClient) -> None:
    said = pagefate("explore", "mail", "--kernel", "linux-2.6.9").stdout.splitlines()
    schedule = next(line.partition("'")[2].rstrip("'") for line in said if "--schedule" in line)
    lost = pagefate("run", "mail", "--kernel", "linux-2.6.9", "--schedule", schedule)
    assert lost.exit_code == 1  # data was lost
    assert client.get(said[-1].strip()).status_code == 200


def test_a_way_that_no_schedule_says_does_not_hide_the_others() -> None:
    # Two calls right after each other are no schedule: that way is left out, and what it is about is broken all the same.
    answer = pagefate(
        "explore", "mail", "--kernel", "linux-2.6.9", "--offer", "writeback,drop-caches", "--witnesses", "4"
    )
    assert answer.exit_code == BROKEN
    assert answer.stdout.count("--schedule") >= 1


def test_a_file_of_ones_own_has_a_witness_that_carries_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(INLINE_YAML)
    answer = pagefate("explore", str(file), "--kernel", "linux-2.6.9")
    assert answer.exit_code == BROKEN
    assert "/x#" in answer.stdout


def test_the_json_is_that_of_the_api(client: TestClient) -> None:
    said = json.loads(pagefate("explore", "mail", "--kernel", "linux-2.6.9", "--json").stdout)
    asked = client.post("/api/v1/verdicts", json={"scenario": "mail", "kernel": "linux-2.6.9"})
    here = asked.headers["location"]
    while (found := client.get(here).json())["state"] not in ("done", "failed"):
        time.sleep(0.1)
    client.app.state.searches.close()  # type: ignore[attr-defined]  # a Starlette application has a state
    for each in (said, found):
        each.update(seconds=0, links={})
    assert said == found


@pytest.mark.parametrize("cores", ["1", "2"])
def test_control_c_stops_a_search_with_what_it_has(cores: str) -> None:
    command = [sys.executable, "-c", "from app.cli import cli; cli()", "explore", "mail", "--kernel", "wli-corrected"]
    command += ["--offer", ",".join(LONG), "--seconds", "100", "--cores", cores]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        time.sleep(6)
        os.killpg(process.pid, signal.SIGINT)  # a terminal tells all of them
        said, trouble = process.communicate(timeout=30)
    assert trouble == ""
    assert process.returncode == UNDECIDED
    assert "undecided: the search was stopped after" in said


def test_foresight_tells_the_steps_that_decide(client: TestClient) -> None:
    said = pagefate("foresight", "mail", "--kernel", "linux-2.6.9")
    told = client.get("/api/v1/runs/mail/linux-2.6.9/foresight").json()
    assert said.exit_code == 0
    for turn in told["turns"]:
        assert f"{turn['step']:>5}  " in said.stdout
    assert json.loads(pagefate("foresight", "mail", "--kernel", "linux-2.6.9", "--json").stdout) == told
    assert pagefate("foresight", "mial").exit_code == BAD_INPUT


def test_foresight_of_what_the_world_may_do_is_the_same_everywhere(client: TestClient) -> None:
    # H1: on the corrected kernel nothing is lost, unless the power fails before the bytes are on the disk.
    here = "/run/four-levels/wli-corrected/foresight"
    plain = client.get("/api/v1/runs/four-levels/wli-corrected/foresight").json()
    told = client.get("/api/v1/runs/four-levels/wli-corrected/foresight?offer=power-cut").json()
    assert (set(plain["outlook"]), plain["offers"]) == ({"safe"}, [])
    assert ("at-risk" in told["outlook"], told["offers"]) == (True, ["power-cut"])
    said = pagefate("foresight", "four-levels", "--kernel", "wli-corrected", "--offer", "power-cut", "--json")
    assert json.loads(said.stdout) == told
    page = client.get(f"{here}?offer=power-cut").text
    assert 'value="power-cut" checked' in page
    assert "What the world might do besides" in client.get(here).text
    assert "What the world might do besides" not in page
    wrong = client.get(f"{here}?offer=power")
    assert wrong.status_code == 422
    assert "power-cut" in wrong.text
    assert pagefate("foresight", "mail", "--offer", "power").exit_code == BAD_INPUT


def test_a_curve_has_a_line_a_room() -> None:
    answer = pagefate("curve", "last-block", "--kernel", "linux-2.6.9", "--to", "2")
    heading, *lines = answer.stdout.splitlines()
    assert heading.split()[:4] == ["room", "kept", "refused", "lost"]
    # Two stores, each to a hole of its own (7.2): 2.6.9 refuses none and loses what there is no block for.
    assert [line.split()[:4] for line in lines] == [[str(n), str(n), "0", str(2 - n)] for n in range(3)]
    points = [json.loads(line) for line in pagefate("curve", "last-block", "--to", "2", "--json").stdout.splitlines()]
    assert [point["room"] for point in points] == [0, 1, 2]
    refused = pagefate("curve", "last-block", "--of", "bob")
    assert refused.exit_code == BAD_INPUT
    assert "no quota" in refused.stderr
