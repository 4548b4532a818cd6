"""What an operator sees: limits on who asks too often, figures, and a line of the log for each request."""

import json
import logging
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from app import logs
from app.main import create_app
from app.rates import client as who
from app.settings import Settings

MAIL = "/api/v1/runs/mail/linux-2.6.9"
ROOT = Path(__file__).resolve().parents[2]


def site(tmp_path: Path, **settings: object) -> TestClient:
    return TestClient(create_app(Settings.model_validate({"data": tmp_path, **settings})))


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    client = site(tmp_path, rate="3/minute")
    left = [client.get("/api/v1/kernels").headers["ratelimit-remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get(MAIL)
    assert (refused.status_code, refused.headers["ratelimit-limit"]) == (429, "3")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["type"].endswith("#too-many")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["access-control-allow-origin"] == "*"
    assert client.get("/run/mail/linux-2.6.9").status_code == 200  # people who look are not counted


def test_another_address_is_not_counted_against_it(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, rate="1/minute"))
    first, other = (TestClient(app, client=(host, 1)) for host in ("192.0.2.1", "192.0.2.2"))
    assert [first.get(MAIL).status_code for _ in range(2)] == [200, 429]
    assert other.get(MAIL).status_code == 200


def test_a_household_of_ipv6_counts_as_one() -> None:
    one, two, far = ({"client": (host, 1)} for host in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"))
    assert who(one) == who(two) != who(far)


def test_without_a_rate_nobody_is_counted(tmp_path: Path) -> None:
    assert "ratelimit-limit" not in site(tmp_path, rate="").get(MAIL).headers


def test_a_rate_that_is_none_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="rate"):
        Settings(rate="often")


def test_prometheus_reads_what_was_asked_and_made(tmp_path: Path) -> None:
    client = site(tmp_path)
    for _ in range(2):
        client.get(f"{MAIL}/steps/3")
    text = client.get("/metrics").text
    route = 'route="/api/v1/runs/{scenario}/{kernel}/steps/{n}"'
    assert f'pagefate_requests_total{{method="GET",{route},status="200"}} 2.0' in text
    assert f"pagefate_request_seconds_count{{{route}}} 2.0" in text
    assert "pagefate_runs_made_total 1.0" in text
    assert 'pagefate_runs_in_memory{as="trace"} 1.0' in text


def test_figures_can_be_kept_back(tmp_path: Path) -> None:
    assert site(tmp_path, metrics=False).get("/metrics").status_code == 404


def test_a_request_is_one_line_of_the_log_with_its_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pagefate.access")
    answer = site(tmp_path).get("/healthz?x=1", headers={"X-Request-ID": "abc-1"})
    assert answer.headers["x-request-id"] == "abc-1"
    [record] = [record for record in caplog.records if record.name == "pagefate.access"]
    line = json.loads(logs.Lines().format(record))
    assert (line["path"], line["query"], line["status"], line["request"]) == ("/healthz", "x=1", 200, "abc-1")
    assert line["ms"] >= 0


def test_an_id_that_could_break_a_log_is_replaced(tmp_path: Path) -> None:
    given = site(tmp_path).get("/healthz", headers={"X-Request-ID": "a b"}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", given)


def test_every_setting_stands_in_the_table_of_the_docs() -> None:
    table = (ROOT / "docs" / "deployment.md").read_text()
    missing = [name for name in Settings.model_fields if f"`PAGEFATE_{name.upper()}`" not in table]
    assert not missing
