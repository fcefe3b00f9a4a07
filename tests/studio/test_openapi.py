"""Requests of every form that the studio's description allows, and many that it does not."""

from contextlib import suppress

import hypothesis
import pytest
import schemathesis
from schemathesis import GenerationMode
from schemathesis.core import NotSet

ORIGIN = {"origin": "http://127.0.0.1:8600"}
QUIET = {"deadline": None, "suppress_health_check": [*hypothesis.HealthCheck]}


def paths_outside(workspace):
    outside = workspace.root.parent
    return sorted(path for path in outside.rglob("*") if workspace.root not in path.parents)


@pytest.mark.parametrize("mode", [*GenerationMode])
def test_whatever_is_asked_is_answered_or_refused(mode, client, workspace, monkeypatch):
    # Decoding all digits takes seconds, each time.
    monkeypatch.setattr("ganvas.studio.api.training.looked_at", lambda *_: {})
    before = paths_outside(workspace)
    described = schemathesis.openapi.from_dict(client.app.app.openapi())
    operations = [found.ok() for found in described.get_all_operations()]
    assert len(operations) >= 7
    examples = hypothesis.settings.default.max_examples // 20  # of each

    def ask(case):
        content = b"" if isinstance(case.body, NotSet) else case.body
        body = {"content": content} if isinstance(content, bytes) else {"json": content}
        query = {name: str(value) for name, value in (case.query or {}).items()}
        path = case.formatted_path
        answer = client.request(case.method, path, params=query, headers=ORIGIN, **body)
        assert answer.status_code < 500, answer.text

    for operation in operations:
        strategy = operation.as_strategy(generation_mode=mode)
        asked = hypothesis.given(strategy)(ask)
        with suppress(hypothesis.errors.Unsatisfiable):  # nothing in it can be wrong
            hypothesis.settings(max_examples=examples, **QUIET)(asked)()
    assert paths_outside(workspace) == before
