"""kustomize/pin.sh: one command after which every pod of production has its image by digest."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from kustomizing import KUBECTL, build, images, shipped

pytestmark = pytest.mark.skipif(
    not (KUBECTL and shutil.which("kustomize")), reason="kubectl and kustomize are not on PATH"
)
DIGEST = f"sha256:{'1' * 64}"


@pytest.fixture
def pin(fork: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The fork's script in a copy of its own, with a docker that answers as a registry would."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\n[ "$1 $2 $3" = "buildx imagetools inspect" ] && echo {DIGEST}\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Path(shutil.copytree(fork, tmp_path / "fork")) / "kustomize" / "pin.sh"


def test_after_it_all_images_of_production_are_pinned_and_before_it_the_check_says_so(pin: Path) -> None:
    checked = subprocess.run([pin, "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 1
    assert "docker.io/seaway/server" in checked.stdout
    subprocess.run([pin], check=True)
    subprocess.run([pin, "--check"], check=True)
    built = build(shipped(pin.parents[1], "production", "deployment"))
    objects = [item for item in built if item["kind"] != "PipelineVersion"]
    pinned = [image for item in objects for image in images(item)]
    assert pinned
    wanted = {f"docker.io/seaway/{name}@{DIGEST}" for name in ("server", "runtime")}  # endpoints, and what submits
    assert set(pinned) == wanted
    [settings] = [item["data"] for item in objects if item["metadata"]["name"] == "seaway-settings"]
    for image in ("trainer", "server"):
        assert settings[f"SEAWAY_{image.upper()}_IMAGE"] == f"docker.io/seaway/{image}@{DIGEST}"
    [store] = [item for item in objects if item["kind"] == "FeatureStore"]
    assert re.fullmatch(rf".+/feature-server@{DIGEST}", store["spec"]["services"]["onlineStore"]["server"]["image"])
    assert subprocess.run([pin], check=True, capture_output=True).stdout == b"", "what is pinned is asked for again"
