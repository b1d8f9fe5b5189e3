"""The shipped MLflow server: it runs in a restricted namespace with a root that is read-only, and keeps packages."""

import shutil
import subprocess
from pathlib import Path

import pytest
import urllib3
import yaml
from endpoints import forwarded
from seaway.platforms.local.mlflow import SERVER, MlflowTracker
from small_package import small_package

MANIFESTS = Path(__file__).parents[2] / "manifests" / "tracking"
READY_S = 300
QUERY = "/api/2.0/mlflow/experiments/search?max_results=1"


def server(image: str) -> str:
    """The shipped objects, with this image, and data that end with the pod."""
    built = subprocess.run(["kubectl", "kustomize", str(MANIFESTS)], check=True, capture_output=True, text=True).stdout
    objects = list(yaml.safe_load_all(built))
    [stateful] = [item for item in objects if item["kind"] == "StatefulSet"]
    del stateful["spec"]["volumeClaimTemplates"]
    pod = stateful["spec"]["template"]["spec"]
    pod["volumes"].append({"name": "data", "emptyDir": {}})
    pod["containers"][0]["image"] = image
    return yaml.safe_dump_all(objects)


def test_steps_register_and_fetch_by_the_server_and_a_page_of_elsewhere_does_not(
    namespace: str, runtime_image: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on PATH")
    kubectl = ["kubectl", "-n", namespace]
    subprocess.run([*kubectl, "apply", "-f", "-"], input=server(runtime_image), check=True, text=True)
    subprocess.run([*kubectl, "rollout", "status", "statefulset/mlflow", f"--timeout={READY_S}s"], check=True)
    package = small_package(tmp_path, tmp_path / "home")
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    with forwarded(namespace, "service/mlflow", 5000) as url:
        monkeypatch.setenv(SERVER, url)
        tracker = MlflowTracker()
        version = tracker.register("flights", package)
        tracker.promote("flights", version)
        found = tracker.production("flights")
        for name, status in ((f"mlflow.{namespace}.svc:5000", 200), ("rebound.example:5000", 403)):
            assert urllib3.request("GET", f"{url}{QUERY}", headers={"Host": name}).status == status
    assert found
    assert {file.name: file.read_bytes() for file in found.package.iterdir()} == {
        file.name: file.read_bytes() for file in package.iterdir()
    }
