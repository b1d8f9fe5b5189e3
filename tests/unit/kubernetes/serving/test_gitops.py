"""An endpoint in git: what the folder holds, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from seaway.errors import InvalidSpec, PackageRefused
from seaway.platforms.kubernetes.serving.gitops import GitEndpoint, write_endpoint
from small_package import small_package

BACKENDS = {"deployment": "Deployment", "seldondeployment": "SeldonDeployment", "inferenceservice": "InferenceService"}
LAST = {"argocd.argoproj.io/sync-options": "PruneLast=true"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    for seed, name in enumerate(("first", "second")):
        small_package(folder / name, folder / "home", seed)
    return folder


@pytest.fixture(autouse=True)
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEAWAY_STORAGE", str(tmp_path / "storage"))
    monkeypatch.delenv("SEAWAY_HOSTING", raising=False)
    monkeypatch.delenv("SEAWAY_SERVED", raising=False)
    return tmp_path / "storage"


def endpoint(packages: Path, backend: str = "deployment", *names: str, **settings: Any) -> GitEndpoint:
    uris = {arm: str(packages / name / "package") for arm, name in zip(("stable", "candidate"), names, strict=False)}
    return GitEndpoint("small", uris, backend, packages / "home" / "keys" / "signing.pub", **settings)


def objects(folder: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((folder / "endpoint.yaml").read_text()))


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_same_packages_write_nothing_and_another_changes_what_stands_for_it(
    backend: str, packages: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "small"
    assert len(write_endpoint(endpoint(packages, backend, "first"), folder)) == 2
    assert write_endpoint(endpoint(packages, backend, "first"), folder) == []
    before = (folder / "endpoint.yaml").read_text()
    assert write_endpoint(endpoint(packages, backend, "first", "second"), folder) == [folder / "endpoint.yaml"]
    assert write_endpoint(endpoint(packages, backend, "first"), folder) == [folder / "endpoint.yaml"]
    assert (folder / "endpoint.yaml").read_text() == before


@pytest.mark.parametrize(("backend", "kind"), BACKENDS.items())
def test_pods_answer_before_anything_leads_to_them_and_both_end_last(
    backend: str, kind: str, packages: Path, tmp_path: Path
) -> None:
    write_endpoint(endpoint(packages, backend, "first", "second", hosting={"autoscale": {"max_replicas": 4}}), tmp_path)
    told = {item["kind"]: item["metadata"].get("annotations", {}) for item in objects(tmp_path)}
    first = {one for one, annotations in told.items() if annotations.get("argocd.argoproj.io/sync-wave") == "-1"}
    last = {one for one, annotations in told.items() if "PruneLast=true" in annotations.values()}
    assert first == {"ConfigMap", kind, "HorizontalPodAutoscaler"} & told.keys()
    assert last == {kind, "Service"} & told.keys()


def test_a_scaled_version_is_healthy_only_when_its_autoscaler_has_said_how_many_pods(
    packages: Path, tmp_path: Path
) -> None:
    write_endpoint(endpoint(packages, "deployment", "first", hosting={"autoscale": {"max_replicas": 4}}), tmp_path)
    [spec] = [item["spec"] for item in objects(tmp_path) if item["kind"] == "Deployment"]
    assert "replicas" not in spec, "the autoscaler's to set"
    assert spec["minReadySeconds"] > 15, "when an autoscaler first looks, seconds after it is made"


def test_where_the_cluster_logs_what_is_served_git_says_too(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEAWAY_SERVED", "s3://bucket/served")
    monkeypatch.setenv("SEAWAY_SERVER_IMAGE", "registry.example.com/server:9")
    assert endpoint(packages).settings.served == "s3://bucket/served"
    assert endpoint(packages, hosting={"served": "s3://other"}).settings.served == "s3://other"
    assert endpoint(packages).settings.image == "docker.io/seaway/server", "which kustomize/components/images names"


def test_a_package_of_this_machine_is_where_the_pods_look_for_it(packages: Path, tmp_path: Path, storage: Path) -> None:
    write_endpoint(endpoint(packages, "deployment", "first"), tmp_path / "small")
    [deployment] = [item for item in objects(tmp_path / "small") if item["kind"] == "Deployment"]
    [kept] = (storage / "endpoints" / "small").iterdir()
    assert deployment["metadata"]["name"] == f"small-{kept.name}"
    fetcher = deployment["spec"]["template"]["spec"]["initContainers"][0]
    [arm] = [variable["value"] for variable in fetcher["env"] if variable["name"] == "SEAWAY_ARM"]
    assert yaml.safe_load(arm)["package"] == str(kept)
    assert fetcher["envFrom"] == [{"secretRef": {"name": "seaway-storage"}}]


def test_no_secret_and_no_token_is_in_git(packages: Path, tmp_path: Path) -> None:
    write_endpoint(endpoint(packages, "deployment", "first"), tmp_path)
    assert {item["kind"] for item in objects(tmp_path)} == {
        "ConfigMap", "Deployment", "PodDisruptionBudget", "Service",
    }  # fmt: skip
    [config] = [item for item in objects(tmp_path) if item["kind"] == "ConfigMap"]
    assert all(text.startswith("-----BEGIN PUBLIC KEY-----") for text in config["data"].values())


def test_what_a_server_is_asked_for_reaches_its_pod(packages: Path, tmp_path: Path) -> None:
    write_endpoint(endpoint(packages, "deployment", "first", serving={"batch_size": 64}), tmp_path)
    assert '"batch_size":64' in (tmp_path / "endpoint.yaml").read_text()
    with pytest.raises(InvalidSpec, match="batches is unknown"):
        write_endpoint(endpoint(packages, "deployment", "first", serving={"batches": 64}), tmp_path)


def test_a_package_that_was_changed_is_refused_by_its_name_and_nothing_is_written(
    packages: Path, tmp_path: Path, storage: Path
) -> None:
    small_package(tmp_path / "third", packages / "home", seed=3)
    changed = tmp_path / "third" / "package" / "lineage.json"
    changed.write_text(changed.read_text().replace("test", "other"))
    uris = {"stable": str(changed.parent)}
    wanted = GitEndpoint("small", uris, "deployment", packages / "home" / "keys" / "signing.pub")
    with pytest.raises(PackageRefused, match=str(changed.parent)):
        write_endpoint(wanted, tmp_path / "small")
    assert not (tmp_path / "small").exists()
    assert not storage.exists()


def test_a_folder_that_is_not_an_endpoints_is_left_as_it_is(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "kustomization.yaml").write_text("resources: []\n")
    with pytest.raises(InvalidSpec, match="another kustomization"):
        write_endpoint(endpoint(packages, "deployment", "first"), tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["kustomization.yaml"]
