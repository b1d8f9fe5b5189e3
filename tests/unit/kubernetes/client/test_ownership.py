"""Which run a step in a pod belongs to: two runs of one name would adopt each other's jobs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from http_server import serving, url
from seaway.errors import InvalidSpec
from seaway.platforms.home import run_id
from seaway.platforms.kubernetes.client.connection import connect

WORKFLOW = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "flights-x7k2p", "uid": "1"}
NOTEBOOK = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "notebook", "uid": "2"}


@contextmanager
def api_server(pod: dict[str, Any]) -> Iterator[str]:
    """Shows one pod, as an API server does."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.startswith("/api/v1/namespaces/team/pods/step")
            body = json.dumps(pod if found else {"kind": "Status", "code": 404, "reason": "NotFound"}).encode()
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Be silent."""

    with serving(Handler) as server:
        yield url(server)


def kubeconfig(server: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "step",
        "contexts": [{"name": "step", "context": {"cluster": "c", "user": "u", "namespace": "team"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
    }


@pytest.fixture
def run_of_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """The run id that a step takes whose pod has this metadata."""
    file = tmp_path / "config"
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(file))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KFP_POD_NAME", "step")
    monkeypatch.delenv("SEAWAY_RUN_ID", raising=False)

    def asked(**metadata: object) -> str:
        with api_server({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "step", **metadata}}) as url:
            file.write_text(json.dumps(kubeconfig(url)))
            connect.cache_clear()
            return run_id()

    yield asked
    connect.cache_clear()


def test_a_step_of_kubeflow_belongs_to_the_run_that_its_dashboard_shows(run_of_step: Callable[..., str]) -> None:
    assert run_of_step(labels={"pipeline/runid": "6f1c"}, ownerReferences=[WORKFLOW]) == "6f1c"


def test_a_step_of_another_workflow_belongs_to_that(run_of_step: Callable[..., str]) -> None:
    assert run_of_step(ownerReferences=[WORKFLOW]) == "flights-x7k2p"


@pytest.mark.parametrize("owners", [[], [NOTEBOOK]], ids=["bare", "notebook"])
def test_a_pod_of_many_runs_must_be_told_which_one_it_is(
    run_of_step: Callable[..., str], owners: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidSpec, match="Set SEAWAY_RUN_ID"):
        run_of_step(ownerReferences=owners)
    monkeypatch.setenv("SEAWAY_RUN_ID", "by-hand-1")
    assert run_of_step(ownerReferences=owners) == "by-hand-1"


def test_outside_a_pod_no_cluster_is_asked_and_no_client_loaded() -> None:
    inside = {"KUBERNETES_SERVICE_HOST", "SEAWAY_RUN_ID"}
    program = "import sys; from seaway.platforms.home import run_id; print(run_id(), 'kubernetes' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if name not in inside}
    shown = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["manual", "False"]
