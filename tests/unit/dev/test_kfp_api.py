"""KFP's API by its words: lists, names, versions, and what is refused; kfp's own client is in tests/local/dev."""

import json
from pathlib import Path
from typing import Any

import pytest
from dev_pages import artifact, step, write_run
from hypothesis import given
from hypothesis import strategies as st
from seaway.dev.kfp_api.listing import listed
from seaway.dev.kfp_api.refusal import Refusal
from starlette.testclient import TestClient

API = "/apis/v2beta1"
RUN = "20260102-030405-ab12"
SPEC = "pipelineInfo: {name: sample}\nroot: {dag: {tasks: {}}}\ncomponents: {}\n"


def upload(client: TestClient, path: str, text: str = SPEC, **query: str) -> Any:
    return client.post(f"{API}/pipelines/{path}", params=query, files={"uploadfile": ("sample.yaml", text)})


@given(st.integers(0, 70), st.integers(1, 30))
def test_pages_give_each_once_and_the_newest_first(count: int, size: int) -> None:
    found = [{"display_name": f"r{number}", "created_at": f"2026-01-01T00:00:{number:03d}Z"} for number in range(count)]
    seen, token = [], ""
    while True:
        page = listed("runs", found, {"page_size": str(size), "page_token": token})
        seen += page["runs"]
        assert (len(page["runs"]) <= size, page["total_size"]) == (True, count)
        if not (token := page.get("next_page_token", "")):
            break
    assert seen == found[::-1]


def test_a_filter_and_an_order_are_those_of_the_protocol() -> None:
    found = [
        {"display_name": name, "state": state} for name, state in (("b", "FAILED"), ("a", "RUNNING"), ("c", "FAILED"))
    ]

    def names(**query: str) -> list[str]:
        return [one["display_name"] for one in listed("runs", found, query)["runs"]]

    def predicate(**words: Any) -> str:
        return json.dumps({"predicates": [words]})

    assert names(sort_by="name desc") == ["c", "b", "a"]
    assert names(filter=predicate(operation="EQUALS", key="state", stringValue="FAILED"), sort_by="name") == ["b", "c"]
    assert names(filter=predicate(operation=1, key="name", string_value="a")) == ["a"]
    values = {"values": ["a", "c"]}
    assert names(filter=predicate(operation="IN", key="display_name", stringValues=values), sort_by="name asc") == [
        "a",
        "c",
    ]
    assert names(filter=predicate(operation="IS_SUBSTRING", key="state", stringValue="fail"), sort_by="name") == [
        "b",
        "c",
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"filter": "{"},
        {"filter": "[]"},
        {"page_token": "x"},
        {"page_size": "-1"},
        {"page_size": "x"},
        {"sort_by": "a b"},
    ],
)
def test_words_that_mean_nothing_are_refused(query: dict[str, str], client: TestClient) -> None:
    with pytest.raises(Refusal):
        listed("runs", [], query)
    answer = client.get(f"{API}/runs", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, 3)


def test_a_pipeline_has_versions_and_goes_after_them(client: TestClient) -> None:
    pipeline = upload(client, "upload", name="churn").json()["pipeline_id"]
    assert upload(client, "upload", name="churn").status_code == 409
    version = upload(client, "upload_version", name="v2", pipelineid=pipeline).json()
    assert version["pipeline_spec"]["pipelineInfo"] == {"name": "sample"}
    shown = client.get(f"{API}/pipelines/{pipeline}/versions").json()["pipeline_versions"]
    assert {one["display_name"] for one in shown} == {"churn", "v2"}
    assert client.get(f"{API}/pipelines/names/churn").json()["pipeline_id"] == pipeline
    assert client.delete(f"{API}/pipelines/{pipeline}").status_code == 400
    for one in shown:
        assert client.delete(f"{API}/pipelines/{pipeline}/versions/{one['pipeline_version_id']}").json() == {}
    assert client.delete(f"{API}/pipelines/{pipeline}").json() == {}
    assert client.get(f"{API}/pipelines/{pipeline}").json()["code"] == 5


@pytest.mark.parametrize("text", ["a: b", "[", "- 1", "", "pipelineInfo"])
def test_a_file_that_is_no_pipeline_is_refused(client: TestClient, text: str) -> None:
    assert upload(client, "upload", text, name="churn").status_code == 400
    assert client.get(f"{API}/pipelines").json()["total_size"] == 0


def test_runs_of_the_command_line_are_runs_of_the_default_experiment(client: TestClient, home: Path) -> None:
    made = step(1, "make", {"table": artifact(home / "t"), "parts": [artifact(home / "a"), artifact(home / "b")]})
    write_run(home, RUN, made, step(2, "train", state="failed", reason="No rows."), state="failed", arguments={"n": 1})
    [run] = client.get(f"{API}/runs").json()["runs"]
    assert (run["run_id"], run["state"], run["error"]["message"]) == (RUN, "FAILED", "No rows.")
    assert run["runtime_config"] == {"parameters": {"n": 1}}
    first, second = run["run_details"]["task_details"]
    assert (first["state"], second["state"], second["error"]["message"]) == ("SUCCEEDED", "FAILED", "No rows.")
    assert len(first["outputs"]["parts"]["artifact_ids"]) == 2
    page = client.get("/" + first["outputs"]["table"]["artifact_ids"][0])
    assert page.status_code == 200
    assert client.get(f"{API}/experiments/{run['experiment_id']}").json()["display_name"] == "Default"


def test_a_run_is_archived_and_deleted_but_not_while_it_goes(client: TestClient, home: Path) -> None:
    write_run(home, RUN, step(1, "make", state="running"), state="running")
    assert client.delete(f"{API}/runs/{RUN}").json()["code"] == 9
    write_run(home, RUN, step(1, "make"))
    client.post(f"{API}/runs/{RUN}:archive")
    assert client.get(f"{API}/runs/{RUN}").json()["storage_state"] == "ARCHIVED"
    assert client.delete(f"{API}/runs/{RUN}").json() == {}
    assert not (home / "runs" / RUN).exists()


def test_what_a_laptop_lacks_is_told(client: TestClient, home: Path) -> None:
    write_run(home, RUN, step(1, "make"))
    assert client.get(f"{API}/healthz").json()["multi_user"] is False
    assert client.get(f"{API}/recurringruns").json()["total_size"] == 0
    assert client.post(f"{API}/recurringruns", json={}).status_code == 501
    assert client.post(f"{API}/runs/{RUN}:retry").status_code == 501
    assert client.get("/apis/v1beta1/runs").json()["code"] == 5
    for run in ("nothing", "..%2f..", "a:terminate"):
        assert client.get(f"{API}/runs/{run}").status_code == 404


@pytest.mark.parametrize("wanted", [{}, {"pipeline_spec": {}}, {"pipeline_version_reference": {"pipeline_id": "x"}}])
def test_a_run_of_nothing_is_refused(client: TestClient, wanted: dict[str, Any]) -> None:
    assert client.post(f"{API}/runs", json=wanted).status_code in (400, 404)
    assert client.post(f"{API}/runs", content=b"[").status_code == 400
