"""A run in one file, by address and by command; tables."""

import csv
import io
import json
import re
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app import bundle
from app.assets import static_dir
from app.cli import cli
from tests.app.conftest import INLINE_YAML
from tests.app.test_embed import kept

MAIL = "/run/mail/linux-2.6.9"


def export(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["export", *arguments])
    return result.exit_code, result.output


def test_the_file_loads_nothing(client: TestClient) -> None:
    page = unescape(client.get(f"{MAIL}.html?step=53").text)
    assert not re.search(r"<link[^>]+stylesheet|<script[^>]+src=|@import|url\(|<img|/static/", page)
    assert "default-src 'none'" in page
    assert "unsafe" not in page.partition("<title>")[0]
    assert 'data-step="53"' in page
    assert 'href="http://testserver/run/mail/linux-2.6.9?step=53"' in page


def test_the_site_lets_the_file_run_the_script_it_brings_and_no_other(client: TestClient) -> None:
    answer = client.get(f"{MAIL}.html")
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.text)[0]
    assert answer.headers["content-security-policy"] == f"{policy.replace('&#39;', chr(39))}; frame-ancestors 'none'"


def test_a_short_link_is_a_file_too_and_steps_are(client: TestClient) -> None:
    link = kept(client)
    assert "One page too many" in client.get(f"/s/{link}.html").text
    assert 'data-step="7"' in client.get(f"{MAIL}/step/7.html").text


def test_a_bundle_has_every_module_once_and_before_its_use() -> None:
    made = bundle.bundle("fault-player.js")
    places = [made.index(f"const ${name} = ") for name in ("trace", "scene", "motion", "transport", "fault_player")]
    assert max(places) == places[-1]
    assert made.count("class Trace ") == 1
    assert not re.search(r"^(import|export)\b", made, re.MULTILINE)


def test_a_module_that_a_bundle_can_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "odd.js").write_text("export default 3\n")
    monkeypatch.setattr("app.assets.static_dir", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"odd\.js"):
        bundle.bundle("odd.js")
    assert (static_dir() / "js" / "fault-player.js").is_file()


@pytest.mark.parametrize("ending", ["html", "svg", "png", "csv", "json", "txt"])
def test_the_command_writes_what_the_ending_says(client: TestClient, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"out.{ending}"
    code, said = export("mail", "--kernel", "linux-2.6.9", "--step", "A.3.store.write", "-o", str(file))
    assert code == 0, said
    assert "121 steps" in said
    sent = client.get(f"{MAIL}.{ending}" + ("?step=53" if ending in ("html", "svg", "png") else ""))
    if ending == "html":
        assert 'data-step="53"' in file.read_text()
        assert "testserver" not in file.read_text()
    elif ending == "json":
        assert json.loads(file.read_bytes())["trace"] == sent.json()["trace"]
    else:
        assert file.read_bytes() == sent.content


def test_the_command_takes_a_file_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(INLINE_YAML)
    code, said = export(str(tmp_path / "mine.yaml"), "-o", str(tmp_path / "mine.html"))
    assert code == 0, said
    assert "One page too many" in (tmp_path / "mine.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mail", "-o", "out.docx"], "End it in"),
        (["mail", "--step", "9999", "-o", "out.svg"], "121 steps"),
        (["mail", "--step", "Z.1.no.no", "-o", "out.svg"], "121 steps"),
        (["mail", "-o", "no/such/folder/out.html"], "-o FILE"),
        (["nothing"], "nothing"),
    ],
)
def test_the_command_refuses_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, output = export(*arguments)
    assert code == 2
    assert said in output
    assert list(tmp_path.iterdir()) == []


def test_a_table_has_a_row_for_each_step(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get(f"{MAIL}.csv").text)))
    trace = client.get(f"{MAIL}.json").json()["trace"]
    assert [row["event"] for row in rows] == [step["event"] for step in trace]
    assert rows[52]["fates"] == "A.3: at-risk"


def test_a_step_has_a_table_of_its_cells(client: TestClient) -> None:
    rows = list(csv.DictReader(io.StringIO(client.get(f"{MAIL}/step/53.csv").text)))
    did = client.get(f"{MAIL}.json").json()["trace"][52]
    assert [row["cell"] for row in rows if row["how"] == "written"] == [write[0] for write in did["writes"]]
    assert [row["cell"] for row in rows if row["how"] == "read"] == did.get("reads", [])
    start = list(csv.DictReader(io.StringIO(client.get(f"{MAIL}/step/0.csv").text)))
    assert {row["how"] for row in start} == {"initial"}


def test_no_spreadsheet_computes_what_a_scenario_says(client: TestClient) -> None:
    scenario = {
        "title": "A formula", "files": {"f": {"owner": "alice", "size": "1P"}},
        "tasks": {"A": {"user": "alice", "script": ['pwrite(f, "=1+1", 0)']}},
    }  # fmt: skip
    link = kept(client, scenario)
    last = client.get(f"/s/{link}.json").json()["steps"]
    found = "".join(client.get(f"/s/{link}/step/{n}.csv").text for n in range(last + 1))
    assert "'=1+1" in found
    assert not re.search(r"(^|,)=1", found, re.MULTILINE)
