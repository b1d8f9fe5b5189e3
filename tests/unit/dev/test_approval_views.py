"""A run's question on its page, and its answer, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dev_pages import signed_in, step, write_run
from seaway.approvals import Question
from seaway.platforms.local.approvals import FileApprovals
from starlette.testclient import TestClient

RUN = "20260102-030405-ab12"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Who sees a run that asks, and another that does."""
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    monkeypatch.delenv("SEAWAY_PLATFORM", raising=False)
    write_run(tmp_path, RUN, step(1, "await approval", state="running"), state="running")
    for run in (RUN, "20260103-030405-cd34"):
        FileApprovals().ask(Question(run, "release", f"May {run} go on? {HOSTILE}", (f"AUC 0.8 {HOSTILE}",), "now"))
    with signed_in(tmp_path) as found:
        yield found


def answered(client: TestClient, **form: str) -> int:
    return client.post(f"/runs/{RUN}/approvals/release", data=form, follow_redirects=False).status_code


def test_what_a_run_asks_stands_on_its_page_and_nothing_of_it_is_taken_for_the_page(client: TestClient) -> None:
    page = client.get(f"/runs/{RUN}").text
    assert f"May {RUN} go on?" in page
    assert "AUC 0.8" in page
    assert "May 20260103" not in page
    assert HOSTILE not in page


def test_an_answer_is_what_the_waiting_step_hears(client: TestClient) -> None:
    assert answered(client, decision="refuse", why=" two slices are worse ") == 303
    heard = FileApprovals().heard(RUN, "release")
    assert heard is not None
    assert (heard.approved, heard.why) == (False, "two slices are worse")
    assert "Approve" not in client.get(f"/runs/{RUN}").text
    assert answered(client, decision="approve") == 404


@pytest.mark.parametrize("form", [{}, {"decision": "perhaps"}])
def test_what_is_no_answer_decides_nothing(client: TestClient, form: dict[str, str]) -> None:
    assert answered(client, **form) == 400
    assert FileApprovals().heard(RUN, "release") is None


def test_another_site_cannot_answer(client: TestClient) -> None:
    headers = {"origin": "http://elsewhere.example"}
    refused = client.post(f"/runs/{RUN}/approvals/release", data={"decision": "approve"}, headers=headers)
    assert refused.status_code == 403
    assert FileApprovals().heard(RUN, "release") is None
