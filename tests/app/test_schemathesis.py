"""What OpenAPI says of the API is true of every answer, whatever is asked: schemathesis makes the questions."""

import atexit
import tempfile
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig

from app.main import create_app
from app.settings import Settings

EXAMPLES = 12
"""Questions to each operation in one run; `st run http://…/openapi.json` asks as many as one likes."""

REFUSED = ["2xx", "404", "422"]
"""A scenario, a schedule and the names in it are a language of their own, which JSON Schema can not spell."""

BRIEF = {"states": 500, "seconds": 1.0}
"""How far the searches go that are asked for, a dozen of them: what is wrong with a question shows without it."""

FOLDER = tempfile.TemporaryDirectory()
SITE = create_app(Settings(data=Path(FOLDER.name), rate=""))
atexit.register(FOLDER.cleanup)
CONFIG = SchemathesisConfig.from_dict({"checks": {"positive_data_acceptance": {"expected-statuses": REFUSED}}})

schema = schemathesis.openapi.from_asgi("/openapi.json", SITE, config=CONFIG)


@pytest.mark.timeout(300)
@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_every_answer_is_as_the_schema_says(case: Case[Any]) -> None:
    if isinstance(case.body, dict) and case.path.endswith("/verdicts"):
        case.body |= {key: most for key, most in BRIEF.items() if _is_more(case.body.get(key, most), most)}
    case.call_and_validate()


def _is_more(said: object, most: float) -> bool:
    """Whether a question is valid there, and would take long."""
    return isinstance(said, int | float) and not isinstance(said, bool) and said >= most
