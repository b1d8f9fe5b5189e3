"""The shipped MLflow server: it runs in a restricted namespace with a root that is read-only, and keeps packages."""

import shutil
from pathlib import Path

import pytest
import urllib3
from cluster_fixtures import start_tracking
from endpoints import forwarded
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.mlflow import SERVER, MlflowRegistry
from small_package import small_package

QUERY = "/api/2.0/mlflow/experiments/search?max_results=1"


def test_steps_register_and_fetch_by_the_server_and_a_page_of_elsewhere_does_not(
    connection: Connection, namespace: str, runtime_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on PATH")
    start_tracking(connection, runtime_image)
    package = small_package(tmp_path, tmp_path / "home")
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    with forwarded(namespace, "service/mlflow", 5000) as url:
        monkeypatch.setenv(SERVER, url)
        tracker = MlflowRegistry()
        version = tracker.register("flights", package)
        tracker.promote("flights", version)
        found = tracker.production("flights")
        for name, status in ((f"mlflow.{namespace}.svc:5000", 200), ("rebound.example:5000", 403)):
            assert urllib3.request("GET", f"{url}{QUERY}", headers={"Host": name}).status == status
    assert found
    assert {file.name: file.read_bytes() for file in found.package.iterdir()} == {
        file.name: file.read_bytes() for file in package.iterdir()
    }
