"""`seaway submit --build`: an image of the user's code on Seaway's, in a real registry, and a version that has it."""

import gzip
import json
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import kfp_server
import pytest
import urllib3
from container_registry import container_registry
from seaway.errors import ImageNotBuilt, InvalidSpec
from seaway.kfp import decorator
from seaway.kfp.image import build
from seaway.kfp.image.layer import code_layer
from seaway.kfp.image.reference import Reference
from seaway.kfp.image.registry import INDEXES, MANIFESTS, Manifest, Repository, digest_of
from seaway.kfp.server import Server
from seaway.kfp.submit import submit

PIPELINE = """
from kfp import dsl
from seaway.kfp import component

@component
def count() -> int:
    import helper
    return helper.ROWS

@dsl.component(base_image="docker.io/library/python:3.11")
def other() -> int:
    return 1

@dsl.pipeline(name="counting")
def counting():
    count()
    other()
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with container_registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A pipeline with a module beside it, and what is no code."""
    folder = tmp_path / "project"
    (folder / ".git_is_elsewhere").mkdir(parents=True)
    (folder / "pipeline.py").write_text(PIPELINE)
    (folder / "helper.py").write_text("ROWS = 7\n")
    (folder / ".env").write_text("PASSWORD=hunter2\n")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "helper.pyc").write_text("")
    return folder


def push_base(name: str, media_type: str = MANIFESTS[0], **config: Any) -> Manifest:
    """A small image, such as somebody else's tool would have pushed."""
    repository = Repository(Reference.parse(name))
    raw = BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("etc/base"), BytesIO())
    layer = gzip.compress(raw.getvalue(), mtime=0)
    told = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin", "PYTHONPATH=/opt/more"]}, **config}
    told["rootfs"] = {"type": "layers", "diff_ids": [digest_of(raw.getvalue())]}
    text = json.dumps(told).encode()
    for blob in (layer, text):
        repository.put(digest_of(blob), BytesIO(blob))
    described = {"mediaType": "application/octet-stream", "digest": digest_of(text), "size": len(text)}
    layers = [{**described, "digest": digest_of(layer), "size": len(layer)}]
    manifest = Manifest.of(
        media_type, {"schemaVersion": 2, "mediaType": media_type, "config": described, "layers": layers}
    )
    repository.put_manifest(Reference.parse(name).tag, manifest)
    return manifest


def pulled(image: Reference, path: str, accept: str = ", ".join((*MANIFESTS, *INDEXES))) -> bytes:
    """By a request of the test's own."""
    answer = urllib3.request("GET", f"http://{image.registry}/v2/{image.repository}/{path}", headers={"Accept": accept})
    assert answer.status == 200, answer.data
    return answer.data


def files_of(image: Reference, layer: dict[str, Any]) -> dict[str, bytes]:
    content = BytesIO(gzip.decompress(pulled(image, f"blobs/{layer['digest']}")))
    with tarfile.open(fileobj=content) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", MANIFESTS, ids=["OCI", "Docker"])
def test_the_image_is_the_base_with_the_code_and_nothing_hidden(registry: str, project: Path, kind: str) -> None:
    base = push_base(f"{registry}/seaway/runtime:1", kind)
    built = build(project, f"{registry}/seaway/runtime:1", f"{registry}/team/counting:dev")
    body = pulled(built, f"manifests/{built.digest}")
    assert digest_of(body) == built.digest
    assert pulled(built, "manifests/dev") == body
    made = json.loads(body)
    *inherited, layer = made["layers"]
    assert inherited == base.value["layers"]
    files = files_of(built, layer)
    assert files == {"opt/project/helper.py": b"ROWS = 7\n", "opt/project/pipeline.py": PIPELINE.encode()}
    config = json.loads(pulled(built, f"blobs/{made['config']['digest']}"))
    raw = gzip.decompress(pulled(built, f"blobs/{layer['digest']}"))
    assert config["rootfs"]["diff_ids"][1:] == [digest_of(raw)]
    assert config["config"]["Env"] == ["PATH=/bin", "PYTHONPATH=/opt/project:/opt/more"]
    if kind == MANIFESTS[0]:
        assert made["annotations"]["org.opencontainers.image.base.digest"] == base.digest


def test_the_same_code_is_the_same_image_and_other_code_another(registry: str, project: Path) -> None:
    push_base(f"{registry}/seaway/runtime:1")
    images = [f"{registry}/seaway/runtime:1", f"{registry}/team/same"]
    first = build(project, *images)
    (project / "helper.py").touch()
    assert build(project, *images) == first
    (project / "helper.py").write_text("ROWS = 8\n")
    assert build(project, *images) != first


def test_a_base_of_another_registry_is_copied(registry: str, project: Path, tmp_path: Path) -> None:
    push_base(f"{registry}/seaway/runtime:1")
    with container_registry(tmp_path / "other") as other:
        built = build(project, f"{registry}/seaway/runtime:1", f"{other}/team/counting")
        for layer in json.loads(pulled(built, f"manifests/{built.digest}"))["layers"]:
            assert digest_of(pulled(built, f"blobs/{layer['digest']}")) == layer["digest"]


def test_each_platform_of_the_base_gets_the_code(registry: str, project: Path) -> None:
    images = {one: push_base(f"{registry}/seaway/many:{one}", architecture=one) for one in ("amd64", "arm64")}
    attestation = {"platform": {"os": "unknown", "architecture": "unknown"}}
    entries = [
        {"mediaType": made.media_type, "digest": made.digest, "size": len(made.body), **platform}
        for made, platform in [
            *((made, {"platform": {"os": "linux", "architecture": one}}) for one, made in images.items()),
            (images["amd64"], attestation),
        ]
    ]
    index = Manifest.of(INDEXES[0], {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries})
    Repository(Reference.parse(f"{registry}/seaway/many")).put_manifest("all", index)
    built = build(project, f"{registry}/seaway/many:all", f"{registry}/team/many")
    found = json.loads(pulled(built, f"manifests/{built.digest}"))["manifests"]
    assert [one["platform"]["architecture"] for one in found] == ["amd64", "arm64"]
    for one in found:
        made = json.loads(pulled(built, f"manifests/{one['digest']}"))
        assert (
            json.loads(pulled(built, f"blobs/{made['config']['digest']}"))["architecture"]
            == one["platform"]["architecture"]
        )
        assert "opt/project/helper.py" in files_of(built, made["layers"][-1])


def test_a_base_whose_bytes_are_not_those_of_its_digest_is_refused(project: Path, tmp_path: Path) -> None:
    with container_registry(tmp_path / "a") as address, container_registry(tmp_path / "b") as other:
        base = push_base(f"{address}/seaway/runtime:1")
        name = base.value["layers"][0]["digest"].removeprefix("sha256:")
        [blob] = (tmp_path / "a" / "data").rglob(f"{name}/data")
        blob.write_bytes(blob.read_bytes()[:-1] + b"?")
        with pytest.raises(ImageNotBuilt, match="has other bytes than its digest says"):
            build(project, f"{address}/seaway/runtime:1", f"{other}/team/counting")


@pytest.mark.parametrize("name", ["team/none:1", "127.0.0.1:1/team/none"])
def test_a_base_that_is_not_there_is_told(registry: str, project: Path, name: str) -> None:
    base = name if name.startswith("127") else f"{registry}/{name}"
    with pytest.raises(ImageNotBuilt, match="docker login"):
        build(project, base, f"{registry}/team/counting")


def test_what_git_ignores_is_no_code_and_too_much_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    (project / ".gitignore").write_text("data/\n")
    (project / "data").mkdir()
    (project / "data" / "rows.csv").write_text("1" * 1000)
    raw = BytesIO(gzip.decompress(code_layer(project).content))
    with tarfile.open(fileobj=raw) as archive:
        assert [one for one in archive.getnames() if "data" in one or ".git" in one] == []
    monkeypatch.setattr("seaway.kfp.image.layer.LARGEST", 100)
    with pytest.raises(InvalidSpec, match=r"largest are pipeline\.py"):
        code_layer(project)


def test_a_version_is_submitted_that_runs_in_the_image_of_its_code(
    registry: str, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kfp.Client._LOCAL_KFP_CONTEXT", str(tmp_path / "context.json"))
    monkeypatch.setattr(decorator, "IMAGE", f"{registry}/seaway/runtime:1")
    push_base(f"{registry}/seaway/runtime:1")
    with kfp_server.serving(kfp_server.Pipelines()) as pipelines:
        names = [submitted(project, pipelines, f"{registry}/team/counting")]
        names.append(submitted(project, pipelines, f"{registry}/team/counting"))
        (project / "helper.py").write_text("ROWS = 9\n")
        names.append(submitted(project, pipelines, f"{registry}/team/counting"))
        assert names[0] == names[1] != names[2]
        images = {
            executor["container"]["image"]
            for executor in pipelines.versions[0]["pipeline_spec"]["deploymentSpec"]["executors"].values()
        }
    assert len(images) == 2
    assert "docker.io/library/python:3.11" in images, "a step of another image keeps it"
    assert any(one.startswith(f"{registry}/team/counting@sha256:") for one in images)


def submitted(project: Path, pipelines: kfp_server.Pipelines, image: str) -> str:
    return submit(str(project / "pipeline.py"), {}, Server(pipelines.url), build=image).version
