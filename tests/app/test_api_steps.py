"""Steps by range and filter, the difference between two, and where a value comes from."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from engine import EDITION
from tests.app.conftest import INLINE

RUN = "/api/v1/runs/mail/linux-2.6.9"


def items(client: TestClient, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{RUN}/steps?{query}").json()["items"]
    return found


def test_pages_of_steps_joined_are_the_trace(client: TestClient) -> None:
    whole, joined, at = client.get(RUN).json()["trace"], list[dict[str, Any]](), f"{RUN}/steps?limit=50"
    while at:
        answer = client.get(at)
        page = answer.json()
        assert len(page["items"]) <= 50
        joined, at = joined + page["items"], page.get("next", "")
        assert answer.headers.get("link", "") == (f'<{at}>; rel="next"' if at else "")
    assert joined == whole


def test_lines_are_the_same_steps(client: TestClient) -> None:
    answer = client.get(f"{RUN}/steps?task=A&limit=1", headers={"Accept": "application/x-ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == items(client, "task=A&limit=500")
    assert len(lines) > 50


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [("task=B", "task", "B"), ("function=do_no_page", "function", "do_no_page"), ("name=set_pte", "name", "set_pte")],
)
def test_a_filter_lets_through_what_fits_and_nothing_else(
    client: TestClient, query: str, field: str, value: str
) -> None:
    whole = client.get(RUN).json()["trace"]
    assert items(client, f"{query}&limit=500") == [step for step in whole if step[field] == value] != []


def test_a_range_has_both_its_ends(client: TestClient) -> None:
    assert [step["n"] for step in items(client, "from=5&to=9")] == [5, 6, 7, 8, 9]


def test_touching_a_page_is_not_touching_one_whose_number_begins_alike(client: TestClient) -> None:
    steps = items(client, "touches=mm/A/pte/0x4000&limit=500")
    assert steps == []
    touched = items(client, "touches=mm/A/pte/0x40002&limit=500")
    assert {"set_pte", "walk"} <= {step["name"] for step in touched}
    for step in touched:
        cells = [*step["reads"], *(at for at, *_ in step.get("writes", []))]
        assert any(cell.startswith("mm/A/pte/0x40002.") for cell in cells)


def test_a_difference_is_what_the_writes_between_come_to(client: TestClient) -> None:
    changes = {at: (old, new) for at, old, new in client.get(f"{RUN}/diff?from=40&to=44").json()["changes"]}
    then, now = (client.get(f"{RUN}/steps/{n}").json()["cells"] for n in (40, 44))
    assert changes == {at: (then.get(at), now.get(at)) for at in {*then, *now} if then.get(at) != now.get(at)}
    assert changes["mm/A/pte/0x40002.entry"][0] is None  # facts 1a: the read maps the page of the hole, writable
    assert " W " in changes["mm/A/pte/0x40002.entry"][1]


def test_the_difference_to_the_end_is_taken_when_no_end_is_named(client: TestClient) -> None:
    last = client.get(RUN).json()["steps"]
    assert client.get(f"{RUN}/diff").json() == client.get(f"{RUN}/diff?from=0&to={last}").json()
    assert client.get(f"{RUN}/diff?from=9&to=9").json()["changes"] == []


def test_a_value_leads_back_to_every_write_of_its_cell(client: TestClient) -> None:
    answer = client.get(f"{RUN}/provenance?cell=mm/A/pte/0x40002.entry").json()
    whole = client.get(RUN).json()["trace"]
    wrote = [(s["n"], old, new) for s in whole for at, old, new in s.get("writes", []) if at == answer["cell"]]
    assert [(w["step"], w["old"], w["new"]) for w in answer["writes"]] == wrote[::-1] != []
    assert answer["value"] == wrote[-1][2]
    early = client.get(f"{RUN}/provenance?cell=mm/A/pte/0x40002.entry&step=0").json()
    assert (early["writes"], early["value"]) == ([], None)


def test_a_cell_that_no_step_has_is_named_with_its_neighbours(client: TestClient) -> None:
    answer = client.get(f"{RUN}/provenance?cell=mm/A/pte/0x40009.entry")
    assert answer.status_code == 404
    assert "mm/A/pte/0x40002.entry" in answer.json()["cure"]


@pytest.mark.parametrize(
    "query", ["steps?from=0", "steps?limit=0", "steps?limit=9999", "diff?from=-1", "diff?to=99999"]
)
def test_what_makes_no_sense_is_refused_with_its_place(client: TestClient, query: str) -> None:
    answer = client.get(f"{RUN}/{query}")
    assert answer.status_code in (404, 422)
    assert answer.json()["cure"]


def test_the_run_of_a_link_has_the_same(client: TestClient) -> None:
    link = client.post("/api/v1/links", json={"scenario": INLINE, "kernel": "linux-2.6.9"}).json()["id"]
    base = f"/api/v1/links/{link}"
    steps = client.get(f"{base}/steps?limit=500").json()["items"]
    assert [step["n"] for step in steps] == list(range(1, len(steps) + 1))
    assert client.get(f"{base}/diff?to=1").json()["after"] == 1
    assert client.get(f"{base}/provenance?cell=mm/A.vmas").json()["value"] == "0x40000-0x40002 rw-s f@0"
    under = client.get(f"{base}/steps?kernel=wli-corrected&limit=500").json()
    assert under["items"] != steps


def test_a_comparison_is_the_same_as_data_of_its_page(client: TestClient) -> None:
    query = "kernels=linux-2.6.9,wli-corrected"
    answer = client.get(f"/api/v1/compare/mail?{query}").json()
    assert answer == client.get(f"/compare/mail.json?{query}").json()
    assert [column["kernel"] for column in answer["columns"]] == ["linux-2.6.9", "wli-corrected"]
    assert answer["difference"]["sentence"]


@pytest.mark.parametrize("part", ["", "/steps/3", "/steps?limit=2", "/diff?from=1", "/provenance?cell=mm/A.vmas"])
def test_an_answer_of_a_named_edition_may_be_kept_for_ever(client: TestClient, part: str) -> None:
    more = "&" if "?" in part else "?"
    free = client.get(RUN + part)
    pinned = client.get(f"{RUN}{part}{more}edition={EDITION}")
    assert "immutable" in pinned.headers["cache-control"]
    assert "immutable" not in free.headers["cache-control"]
    again = client.get(f"{RUN}{part}{more}edition={EDITION}", headers={"If-None-Match": pinned.headers["etag"]})
    assert (again.status_code, "immutable" in again.headers["cache-control"]) == (304, True)
    other = client.get(f"{RUN}{part}{more}edition={EDITION + 1}")
    assert (other.status_code, other.json()["type"]) == (409, "/docs#other-edition")
