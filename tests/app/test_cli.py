"""The command line: the same answers as the API, and exit codes that a script can rely on."""

import json
import os
import re
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from app.cli import cli
from tests.app.conftest import INLINE_YAML

LOST, BAD_INPUT, CUT_SHORT = 1, 2, 3


def pagefate(*arguments: str, given: str | bytes | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, list(arguments), input=given)


@pytest.mark.parametrize(
    ("scenario", "kernel", "code"),
    [
        ("mail", "linux-2.6.9", LOST),  # kernel facts 7.2: the store is accepted and lost
        ("mail", "wli-corrected", 0),  # the store is refused
        ("room-enough", "linux-2.6.9", 0),
    ],
)
def test_the_exit_code_says_whether_data_was_lost(scenario: str, kernel: str, code: int) -> None:
    assert pagefate("run", scenario, "--kernel", kernel).exit_code == code


@pytest.mark.parametrize(("steps", "code"), [("20", CUT_SHORT), ("20000", 0)])
def test_a_run_that_a_limit_cut_short_has_not_kept_anything_yet(
    monkeypatch: pytest.MonkeyPatch, steps: str, code: int
) -> None:
    monkeypatch.setenv("PAGEFATE_MAX_STEPS", steps)
    assert pagefate("run", "room-enough").exit_code == code


def test_the_transcript_has_a_task_a_column_and_a_step_a_line(client: TestClient) -> None:
    result = pagefate("run", "last-block", "--kernel", "wli-corrected")
    assert result.stdout == client.get("/run/last-block/wli-corrected.txt").text
    lines = result.stdout.splitlines()
    trace = client.get("/run/last-block/wli-corrected.json").json()["trace"]
    heading = next(line for line in lines if line.split()[:2] == ["A", "B"])
    for step in trace:
        (line,) = (line for line in lines if line.split()[:1] == [str(step["n"])])
        column = line.index(f"{step['function']}.{step['name']}")
        assert column == heading.index(step["task"]), step


def test_the_json_is_that_of_the_api(client: TestClient) -> None:
    result = pagefate("run", "mail", "--kernel", "wli-posted", "--json", "--schedule", "B.A")
    body = {"scenario": "mail", "kernel": "wli-posted", "schedule": "B.A"}
    assert json.loads(result.stdout) == client.post("/api/v1/runs", json=body).json()


def test_a_scenario_runs_on_the_kernel_it_names(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("title: t\nkernel: linux-6.18\ntasks: {A: {user: root, script: [sync()]}}\n")
    assert "kernel linux-6.18" in pagefate("run", str(file)).stdout
    assert "kernel linux-2.6.9" in pagefate("run", str(file), "--kernel", "linux-2.6.9").stdout


def test_a_file_is_run_like_a_scenario_of_the_gallery(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(INLINE_YAML)
    by_file, by_stdin = pagefate("run", str(file), "--json"), pagefate("run", "-", "--json", given=INLINE_YAML)
    assert json.loads(by_file.stdout)["title"] == "One page too many"
    assert by_file.stdout == by_stdin.stdout


def test_every_problem_of_a_file_is_a_line_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(INLINE_YAML.replace('m[1P] = "D"', "msink(m)").replace("blocks: 1", "blocks: none"))
    for command in ("run", "check"):
        result = pagefate(command, str(file))
        assert result.exit_code == BAD_INPUT
        assert result.stdout == ""
        first, second = result.stderr.splitlines()
        assert first.startswith(f"{file}:2:22: ")
        assert second.startswith(f"{file}:11:9: ")
        assert "Did you mean msync?" in second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mial"], "pagefate: there is no scenario 'mial'. Did you mean mail?\n"),
        (["nowhere.yaml"], "nowhere.yaml: no such file"),
        (["./mail"], "./mail: no such file"),
        (["mail", "--kernel", "linux"], "Did you mean linux-"),
        (["mail", "--filesystem", "ext9"], "Did you mean ext"),
        (["mail", "--schedule", "A@do_no_page.nope>B"], "Did you mean"),
        (["mail", "--kernal", "linux-2.6.9"], "No such option"),
        ([], "Missing argument"),
        (["/"], "/: is a directory"),
    ],
)
def test_bad_input_is_explained(arguments: list[str], said: str) -> None:
    result = pagefate("run", *arguments)
    assert result.exit_code == BAD_INPUT
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x: [", b"- 1", b"a" * 300_000, b"{" * 9_000])
def test_a_file_that_is_no_scenario_is_explained(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    result = pagefate("check", str(file))
    assert result.exit_code == BAD_INPUT
    assert all(line.startswith(str(file)) for line in result.stderr.splitlines())
    assert result.stderr


def test_a_scenario_with_nothing_wrong_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(INLINE_YAML)
    result = pagefate("check", str(tmp_path / "mine.yaml"))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "nothing is wrong" in result.stdout


def test_the_lists_are_those_of_the_api(client: TestClient) -> None:
    for command in ("scenarios", "kernels", "filesystems"):
        listed = [line.split()[0] for line in pagefate(command).stdout.splitlines() if "+" not in line.split()[0]]
        assert listed == [each["id"] for each in client.get(f"/api/v1/{command}").json()]
    assert json.loads(pagefate("schema").stdout) == client.get("/api/v1/schema").json()


def test_a_setting_that_does_not_fit_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGEFATE_MAX_STEPS", "many")
    result = pagefate("run", "mail")
    assert result.exit_code == BAD_INPUT
    assert result.stderr.startswith("PAGEFATE_MAX_STEPS: ")
    assert "'many'" in result.stderr


def test_the_command_never_shows_a_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import engine\ndef run(*_, **__): raise ZeroDivisionError('oh')\nengine.run = run\n"
    )
    command = [sys.executable, "-c", "from app.cli import main; main()", "run", "mail"]
    path = os.pathsep.join([str(tmp_path), os.getcwd()])  # noqa: PTH109 - an entry of a search path is a text
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )
    assert result.returncode not in (0, LOST, BAD_INPUT)
    assert "Traceback" not in result.stderr
    assert "ZeroDivisionError" in result.stderr


def test_the_version_can_be_asked_for() -> None:
    assert pagefate("--version").stdout == f"pagefate {version('pagefate')}\n"


def test_a_file_that_is_far_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as opened:
        opened.truncate(1 << 40)
    result = pagefate("run", str(file))
    assert result.exit_code == BAD_INPUT
    assert "more than 1 MiB" in result.stderr
    assert "65536 characters" in result.stderr


def test_a_closed_standard_input_is_a_sentence() -> None:
    command = f"'{sys.executable}' -c 'from app.cli import main; main()' run - <&-"
    result = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert result.returncode == BAD_INPUT
    assert result.stderr.startswith("-: there is no standard input. ")


def test_an_address_that_is_taken_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = pagefate("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == BAD_INPUT
    assert "address already in use" in result.stderr
    assert "--port 0" in result.stderr


def test_what_broke_is_said_when_asked_for() -> None:
    assert "85 to the end: I1 broken" in pagefate("run", "lock-drop", "--kernel", "wli-posted", "--watch").output
    assert "I1 broken" not in pagefate("run", "lock-drop", "--kernel", "wli-posted").output
    assert pagefate("run", "fork", "--watch").output.endswith("no invariant broke\n")


@pytest.mark.parametrize("command", ["run", "steps", "export"])
def test_examples_in_a_help_text_stand_a_line_each(command: str) -> None:
    said = pagefate(command, "--help").stdout
    assert "\\b" not in said
    assert len(re.findall(rf"^  pagefate {command} .*$", said, re.MULTILINE)) >= 2
