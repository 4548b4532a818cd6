"""What other tools are given of a run: reports, traces, moving pictures, and a program for a real machine."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from app import replay
from app.orders import order
from app.replay_lines import quoted
from app.runs import perform
from engine import Limits, gallery
from tests.app.test_embed import kept

MAIL = "/run/mail/linux-2.6.9"
SVG = "{http://www.w3.org/2000/svg}"
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no gcc to compile the program with")

PLAIN: dict[str, Any] = {
    "title": "What every machine does alike",
    "filesystem": {"blocks": 16},
    "files": {"f": {"owner": "alice", "size": "3P", "data": {"0P": "a"}}},
    "tasks": {
        "A": {
            "user": "alice",
            "script": [
                "m = mmap(f, 3P, READ|WRITE, SHARED)", 'm[1P] = "C"', "x = m[0P]", "msync(m, SYNC)", "fork(B)",
                "mprotect(m, READ)", "munmap(m)", "exit()",
            ],
        },
        "B": {"user": "alice", "child_of": "A", "script": ['m[2P] = "D"', "fsync(f)", "y = pread(f, 1, 2P)"]},
    },
}  # fmt: skip
TOO_MUCH: dict[str, Any] = {
    "title": "One page too many",
    "filesystem": {"type": "tmpfs", "blocks": 2},
    "files": {"f": {"owner": "alice", "size": "3P"}},
    "tasks": {
        "A": {
            "user": "alice",
            "script": ["m = mmap(f, 3P, READ|WRITE, SHARED)", 'm[0] = "C"', 'm[1P] = "D"', 'm[2P] = "E"', "exit()"],
        }
    },
}


def test_a_report_says_what_was_asked_what_happened_and_what_came_of_it(client: TestClient) -> None:
    report = client.get(f"{MAIL}.md").text
    assert report.startswith("# The mail's experiment\n")
    assert '    m[2P] = "C"' in report
    assert "### Step 53: `A.3.store.write`" in report
    assert "Outcome: **lost-silent**" in report
    assert "| A.3 |" in report
    pictures = re.findall(r"!\[[^]]*\]\(http://testserver([^)]+)\)", report)
    assert pictures
    assert client.get(pictures[0]).headers["content-type"].startswith("image/svg+xml")


def test_a_report_takes_words_for_words(client: TestClient) -> None:
    scenario = {**PLAIN, "title": "# <b>*x*</b> | [y](z)"}
    report = client.get(f"/s/{kept(client, scenario)}.md").text
    assert report.startswith("# \\# \\<b\\>\\*x\\*\\</b\\> \\| \\[y\\](z)\n")


def test_a_trace_for_perfetto_has_every_step_within_its_function_and_line(client: TestClient) -> None:
    events = client.get(f"{MAIL}.perfetto.json").json()["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    steps = [event for event in slices if event["cat"] == "step"]
    trace = client.get(f"{MAIL}.json").json()["trace"]
    assert [event["args"]["event"] for event in steps] == [step["event"] for step in trace]
    for inner, outer in (("step", "function"), ("function", "line")):
        wide = [event for event in slices if event["cat"] == outer]
        for event in (event for event in slices if event["cat"] == inner):
            assert any(_holds(each, event) for each in wide), event
    assert {event["name"] for event in events if event["ph"] == "i"} >= {"A.3 is at-risk", "A.3 is lost"}


def _holds(outer: dict[str, Any], inner: dict[str, Any]) -> bool:
    start, stop = outer["ts"], outer["ts"] + outer["dur"]
    return bool(outer["tid"] == inner["tid"] and start <= inner["ts"] and inner["ts"] + inner["dur"] <= stop)


def test_a_trace_in_itf_has_a_state_for_each_step(client: TestClient) -> None:
    found = client.get(f"{MAIL}.itf.json").json()
    assert found["#meta"]["format"] == "ITF"
    assert [state["#meta"]["index"] for state in found["states"]] == list(range(122))
    for state in found["states"]:
        assert set(state) == {"#meta", *found["vars"]}
        assert all(isinstance(part, str) for pair in state["cells"]["#map"] for part in pair)
    moment = client.get("/api/v1/runs/mail/linux-2.6.9/steps/53").json()["cells"]
    assert {at for at, _ in found["states"][53]["cells"]["#map"]} == set(moment)


def _seen(root: ET.Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag in (f"{SVG}text", f"{SVG}tspan") and element.text:
            yield element.text.strip()


def _words(root: ET.Element, place: int) -> list[str]:
    """The words that an animation shows in a frame."""
    found: list[str] = []

    def walk(element: ET.Element) -> None:
        animate = element.find(f"{SVG}animate")
        if animate is not None and animate.attrib["values"].split(";")[place] == "none":
            return
        if element.tag in (f"{SVG}text", f"{SVG}tspan") and element.text:
            found.append(element.text.strip())
        for child in element:
            walk(child)

    walk(root)
    return found


def test_a_moving_picture_shows_nothing_of_another_step(client: TestClient) -> None:
    root = ET.fromstring(client.get(f"{MAIL}.anim.svg?from=50&to=54").text)
    for place, step in enumerate(range(50, 55)):
        still = ET.fromstring(client.get(f"{MAIL}.svg?step={step}").text)
        assert set(_words(root, place)) == {text for text in _seen(still) if text}, step


def test_without_a_range_it_shows_the_fault_that_the_step_belongs_to(client: TestClient) -> None:
    title = ET.fromstring(client.get(f"{MAIL}.anim.svg?step=43").text).findtext(f"{SVG}title") or ""
    first, last = map(int, re.findall(r"\d+", title))
    assert first <= 43 <= last


@pytest.mark.parametrize("query", ["from=1&to=99", "from=60&to=50", "from=1&to=9999", "from=x", "to=-1"])
def test_a_range_that_makes_no_sense_is_refused_with_one_that_does(client: TestClient, query: str) -> None:
    answer = client.get(f"{MAIL}.anim.svg?{query}", headers={"accept": "application/json"})
    assert answer.status_code == 422
    assert "from=" in answer.json()["cure"]


def test_a_text_of_c_says_what_it_said() -> None:
    assert quoted('a"b\\c??=\n') == '"a\\042b\\134c\\077\\077=\\012"'
    assert quoted("é") == '"\\303\\251"'


@needs_gcc
@pytest.mark.parametrize("name", list(gallery())[::9])
def test_the_program_of_a_gallery_run_compiles_without_a_warning(tmp_path: Path, name: str) -> None:
    built(tmp_path, replay.program(perform(order(name), Limits())), "-fsyntax-only")


def built(folder: Path, source: str, *options: str) -> Path:
    """The program, compiled."""
    (folder / "replay.c").write_text(source, encoding="utf-8")
    command = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O2", *options, "-o", "replay", "replay.c"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "replay"


def replayed(program: Path, folder: Path) -> tuple[int, str]:
    done = subprocess.run([program, folder], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_program_says_how_to_have_such_a_filesystem() -> None:
    mail, small = (replay.program(perform(order(each, "linux-6.18"), Limits())) for each in ("mail", TOO_MUCH))
    assert "mkfs.ext2 -q disk" in mail
    assert "driver of ext4" in mail
    assert "-t tmpfs -o size=8192" in small


@needs_gcc
def test_a_real_machine_does_what_was_simulated(tmp_path: Path) -> None:
    program = built(tmp_path, replay.program(perform(order(PLAIN, "linux-6.18"), Limits()), 0, "https://example.org"))
    code, said = replayed(program, tmp_path)
    assert code == 0, said
    assert len(re.findall("as simulated", said)) == 11, said
    assert "NOT" not in said
    assert (tmp_path / "f").read_bytes()[4096:4097] == b"C"
    assert (tmp_path / "f").read_bytes()[8192:8193] == b"D"


@needs_gcc
def test_a_real_machine_that_does_otherwise_is_found_out(tmp_path: Path) -> None:
    """The simulated disk is full, and this one is not: the store that was refused there works here."""
    made = perform(order(TOO_MUCH, "linux-6.18"), Limits())
    assert made.trace.outcome == "refused"
    code, said = replayed(built(tmp_path, replay.program(made)), tmp_path)
    assert code == 1
    assert "NOT as simulated: SIGBUS" in said


@needs_gcc
def test_a_full_tmpfs_refuses_a_store_as_simulated(tmp_path: Path) -> None:
    program = built(tmp_path, replay.program(perform(order(TOO_MUCH, "linux-6.18"), Limits())))
    there = tmp_path / "there"
    there.mkdir()
    mount, unmount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(there)], ["umount"]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, timeout=20, check=False)
    except OSError as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        code, said = replayed(program, there)
    finally:
        subprocess.run([*unmount, str(there)], timeout=20, check=True)
    assert code == 0, said
    assert re.search(r"A\.4 .* SIGBUS +as simulated", said), said
