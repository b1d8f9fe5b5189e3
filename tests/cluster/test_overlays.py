"""Every overlay, as the API server sees it: each field known, each value admitted. Nothing is kept."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

OVERLAYS = sorted((Path(__file__).parents[2] / "kustomize" / "overlays").iterdir())


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
def test_the_server_accepts_every_object(overlay: Path, namespace: str) -> None:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not on PATH")
    built = subprocess.run(["kubectl", "kustomize", str(overlay)], check=True, capture_output=True, text=True).stdout
    objects = [item for item in yaml.safe_load_all(built) if item["kind"] != "Namespace"]
    for item in objects:
        item["metadata"]["namespace"] = namespace
    apply = ["kubectl", "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-"]
    applied = subprocess.run(apply, input=yaml.safe_dump_all(objects), capture_output=True, text=True, check=False)
    assert applied.returncode == 0, applied.stderr
    assert applied.stderr == "", "the server warns"
    assert len(applied.stdout.splitlines()) == len(objects)
