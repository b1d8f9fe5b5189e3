"""The shipped ServingRuntime, as KServe would start it for an InferenceService."""

import json
from pathlib import Path
from typing import Any

import yaml

MANIFEST = Path(__file__).parents[2] / "manifests" / "serving" / "kserve" / "servingruntime.yaml"


def runtime() -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(MANIFEST.read_text())
    return manifest


def container(name: str, package: Path = Path("/mnt/models")) -> dict[str, Any]:
    """Its container, templates filled as KServe does, and the package in another place."""
    text = json.dumps(runtime()["spec"]["containers"][0])
    filled: dict[str, Any] = json.loads(text.replace("{{.Name}}", name).replace("/mnt/models", str(package)))
    return filled
