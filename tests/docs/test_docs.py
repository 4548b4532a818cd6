"""The documentation says what is so: its links lead somewhere, its samples run, its questions are the scenarios' own."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import engine
from app import cli, manual, reference
from app.links import slug
from app.main import create_app
from app.settings import Settings
from engine import KERNELS, gallery
from tests.engine.test_vocabulary import running

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?P<href>(?:[^()\s]|\([^()\s]*\))+)\)")
ASKED = re.compile(r"> \*\*Ask\*\* \(\[(.+?)\]\((.+?)\)\): (.+?)\n>\n> \*\*Answer\*\*: (.+?)\n(?!>)", re.DOTALL)
LESSONS = sorted(name for name in TEXTS if name.startswith("docs/lessons/"))


def bare(text: str) -> str:
    """A text without its listings, which have no links."""
    return re.sub(r"`[^`\n]+`", "", FENCE.sub("", text))


def links_of(kind: str) -> list[tuple[str, str]]:
    found = [(name, match["href"]) for name, text in TEXTS.items() for match in LINK.finditer(bare(text))]
    return [(name, href) for name, href in found if href.startswith("http") == (kind == "site")]


def samples(kind: str) -> list[tuple[str, str]]:
    return [(name, code) for name, text in TEXTS.items() for said, code in FENCE.findall(text) if said == kind]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(Settings(data=tmp_path_factory.mktemp("data"), rate=""))
    yield TestClient(app, raise_server_exceptions=False, follow_redirects=False)
    app.state.storage.close()


@pytest.mark.parametrize(("name", "href"), links_of("repository"))
def test_a_link_within_the_repository_leads_to_a_file_and_a_heading(name: str, href: str) -> None:
    path, _, place = href.partition("#")
    there = (ROOT / name).parent / path if path else ROOT / name
    assert there.exists(), href
    if place:
        headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
        assert place in [slug(heading) for heading in headings]


@pytest.mark.parametrize("href", sorted({href for _, href in links_of("site")}))
def test_a_link_to_the_site_leads_to_a_page_and_a_step(site: TestClient, href: str) -> None:
    assert href.startswith(manual.RUNNING), "the documentation leads to no other site"
    path = href.removeprefix(manual.RUNNING) or "/"
    assert site.get(path).status_code == 200
    asked, _, query = path.partition("?")
    if re.fullmatch(r"/run/[^/]+/[^/]+", asked) and ("at=" in query or "step=" in query):
        assert site.get(f"{asked}.json?{query}").status_code == 200, "the run has this step"


@pytest.mark.parametrize("name", manual.names())
def test_every_link_of_a_page_leads_somewhere_on_the_site(site: TestClient, name: str) -> None:
    page = site.get(f"/docs/{name}")
    assert page.status_code == 200
    article = page.text[page.text.index("<article") :]
    for href in {unquote(each).replace("&amp;", "&") for each in re.findall(r'(?:href|src)="([^"]+)"', article)}:
        if href.startswith("#"):
            assert f'id="{href[1:]}"' in page.text
        else:
            assert site.get(href.partition("#")[0]).status_code == 200, href
        if href.startswith("/docs/") and "#" in href:
            assert f'id="{href.partition("#")[2]}"' in site.get(href.partition("#")[0]).text


def test_every_page_of_the_folder_is_on_the_site_and_linked_from_each_other(site: TestClient) -> None:
    written = {name.removeprefix("docs/").removesuffix(".md") for name in TEXTS if name.startswith("docs/")}
    assert written - {"README"} == set(manual.names())
    for page in ("/docs", "/docs/tour"):
        shown = site.get(page).text
        assert all(f'href="/docs/{name}"' in shown for name in manual.names())
    assert site.get("/docs/nothing").status_code == 404
    assert site.get("/docs/../pyproject").status_code == 404
    assert site.get("/docs/pictures/run.png").headers["content-type"] == "image/png"
    assert site.get("/docs/pictures/nothing.png").status_code == 404


@pytest.mark.parametrize("name", reference.MADE)
def test_what_is_made_from_the_code_is_fresh(name: str) -> None:
    assert TEXTS[f"docs/{name}.md"] == reference.MADE[name](), "run `make docs`, and read the difference"


def test_every_kind_of_sample_is_run() -> None:
    assert {said for text in TEXTS.values() for said, _ in FENCE.findall(text)} <= {
        "yaml",
        "script",
        "console",
        "python",
        "",
    }
    assert all(samples(kind) for kind in ("yaml", "script", "console", "python"))


@pytest.mark.parametrize(("name", "text"), samples("yaml"))
def test_every_scenario_runs(name: str, text: str) -> None:
    trace = engine.run(engine.load_scenario(text, name))
    assert trace.complete
    assert trace.stores


@pytest.mark.parametrize(("name", "lines"), samples("script"))
def test_every_script_runs(name: str, lines: str) -> None:
    said = lines.splitlines()
    if said[0].startswith("m = mmap(") and len(said) > 1:
        scenario = running(said[0])
        data = engine.to_data(scenario)
        data["tasks"]["A"]["script"] = said
        assert engine.run(engine.scenario_from_data(data), "linux-6.18").complete
        return
    for line in said:
        assert engine.run(running(line), "linux-6.18").complete, name


@pytest.mark.parametrize(("name", "text"), samples("python"))
def test_every_python_text_runs(name: str, text: str) -> None:
    exec(compile(text, name, "exec"), {})  # noqa: S102 - our own documentation


@pytest.mark.parametrize(("name", "text"), samples("console"))
def test_every_command_prints_what_is_said(name: str, text: str) -> None:
    command, *said = text.splitlines()
    assert command.startswith("$ pagefate "), name
    printed = CliRunner().invoke(cli.cli, command.split()[2:]).output
    assert said
    assert all(line in printed for line in said)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_asks_and_answers_as_its_scenarios_do(lesson: str) -> None:
    text = TEXTS[lesson]
    found = ASKED.findall(text)
    assert len(found) == text.count("**Ask**") >= 3
    for title, href, question, answer in found:
        scenario = gallery()[href.rpartition("/")[2].removesuffix(".yaml")]
        said = [" ".join(part.replace("\n> ", " ").split()) for part in (title, question, answer)]
        assert said == [" ".join(part.split()) for part in (scenario.title, scenario.question, scenario.answer)]


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_has_a_timetable_without_a_gap(lesson: str) -> None:
    times = [
        (int(begin), int(end)) for begin, end in re.findall(r"^\| (\d+) to (\d+) \|.*http", TEXTS[lesson], re.MULTILINE)
    ]
    assert len(times) >= 5
    assert times[0][0] == 0
    assert all(before[1] == after[0] for before, after in pairwise(times))
    said = re.search(r"(?:lecture of |One lecture of )(\d+) minutes", TEXTS[lesson])
    assert said
    assert int(said[1]) == times[-1][1]


def test_there_are_four_lessons() -> None:
    assert len(LESSONS) == 4


@pytest.mark.parametrize("name", KERNELS)
def test_the_page_of_a_kernel_has_its_functions_steps_locks_sources_and_what_it_leaves_out(
    site: TestClient, name: str
) -> None:
    kernel, page = KERNELS[name], re.sub(r"&#39;", "'", site.get(f"/kernel/{name}").text).replace("&#34;", '"')
    for function, kind in kernel.functions.items():
        assert f"<code>{function}</code>" in page
        assert ", ".join(kind.steps) in page
        assert engine.source(kernel, function).file.replace("&", "&amp;").replace(">", "&gt;") in page
    assert 'class="locks"' in page
    assert all(source in page for source in kernel.sources)
    assert kernel.leaves_out
    assert all(sentence.replace("&", "&amp;").replace(">", "&gt;") in page for sentence in kernel.leaves_out)
    assert 'href="/docs/kernels"' in page
