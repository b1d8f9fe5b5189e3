"""An image of a user's code: the base's layers and one more, for each platform that the base has."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

from kfp.pipeline_spec import pipeline_spec_pb2

from seaway.errors import ImageNotBuilt, InvalidSpec
from seaway.kfp import decorator, pipeline_file
from seaway.kfp.compile import Compiled
from seaway.kfp.image.layer import PLACE, Layer, code_layer
from seaway.kfp.image.reference import Reference, digest_of
from seaway.kfp.image.registry import INDEXES, MANIFESTS, Manifest, Repository

LAYERS = {  # of each kind of manifest
    MANIFESTS[0]: "application/vnd.oci.image.layer.v1.tar+gzip",
    MANIFESTS[1]: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
BASE = "org.opencontainers.image.base"
PATH = "PYTHONPATH"
log = logging.getLogger(__name__)


def with_image(pipeline: Compiled, source: str, target: str) -> Compiled:
    """The pipeline with its steps of Seaway's image in one that has the source's folder too, pushed to `target`.

    Raises:
        InvalidSpec: the source is no file of code, or no step runs in Seaway's image.
        ImageNotBuilt: a registry does not do its part.
    """
    base = decorator.IMAGE
    spec = pipeline_spec_pb2.PipelineSpec()
    spec.CopyFrom(pipeline.spec)
    executors = spec.deployment_spec["executors"]
    ours = [one["container"] for one in executors.values() if _image(one) == base]
    if not ours:
        raise InvalidSpec(f"No step of {pipeline.name} runs in {base}, so an image on it would be used by none.")
    built = build(folder_of(source), base, target)
    for container in ours:
        container["image"] = str(built)
    return replace(pipeline, spec=spec)


def _image(executor: Mapping[str, Any]) -> str:
    return str(executor["container"]["image"]) if "container" in executor else ""


def folder_of(source: str) -> Path:
    """What goes into the image with a pipeline's file. Raises: InvalidSpec: it is no file of Python."""
    file, _ = pipeline_file.split(source)
    if not pipeline_file.is_python(source) or not file.is_file():
        raise InvalidSpec(f"--build takes the code beside a pipeline's .py file; {source} names none.")
    return file.resolve().parent


def build(folder: Path, base: str, target: str) -> Reference:
    """Push the image and return it by its digest; what is there already is not pushed again.

    Raises:
        InvalidSpec: a name of an image is none, or the folder cannot be a layer.
        ImageNotBuilt: a registry does not do its part, or the base is no image.
    """
    layer = code_layer(folder)
    builder = _Builder(Repository(Reference.parse(base)), Repository(Reference.parse(target)), layer, _paths(folder))
    found = builder.source.manifest(builder.source.reference.wanted)
    made = builder.index(found) if found.media_type in INDEXES else builder.image(found)
    builder.target.put_manifest(builder.target.reference.tag, made)
    built = builder.target.reference.at(made.digest)
    log.info("Built %s: %s with %s.", built, base, folder)
    return built


def _paths(folder: Path) -> list[str]:
    """Where Python finds the code, of a folder with a `src` too."""
    return [f"/{PLACE}", *([f"/{PLACE}/src"] if (folder / "src").is_dir() else [])]


class _Builder:
    """Puts the layer on each image of the base."""

    def __init__(self, source: Repository, target: Repository, layer: Layer, paths: list[str]) -> None:
        self.source, self.target, self._layer, self._paths = source, target, layer, paths

    def index(self, found: Manifest) -> Manifest:
        """Of all platforms; attestations of the base say nothing of what is made of it."""
        entries = []
        for entry in found.value["manifests"]:
            if entry.get("platform", {}).get("os") in (None, "unknown"):
                continue
            made = self.image(self.source.manifest(entry["digest"]))
            self.target.put_manifest(made.digest, made)
            entries.append({**entry, "digest": made.digest, "size": len(made.body), "mediaType": made.media_type})
        return Manifest.of(found.media_type, {**found.value, "manifests": entries})

    def image(self, found: Manifest) -> Manifest:
        """Of one platform."""
        if found.media_type not in MANIFESTS:
            raise ImageNotBuilt(f"{self.source.reference} is no image, but {found.media_type or 'something unknown'}.")
        value = found.value
        for blob in value["layers"]:
            self.target.copy(blob["digest"], self.source)
        self.target.put(self._layer.digest, BytesIO(self._layer.content))
        config = Manifest.of("", self._config(Manifest("", self.source.blob(value["config"]["digest"])).value)).body
        self.target.put(digest_of(config), BytesIO(config))
        layer = {
            "mediaType": LAYERS[found.media_type],
            "digest": self._layer.digest,
            "size": len(self._layer.content),
        }
        made = {
            **value,
            "config": {**value["config"], "digest": digest_of(config), "size": len(config)},
            "layers": [*value["layers"], layer],
        }
        if found.media_type == MANIFESTS[0]:  # Docker's has no annotations
            base = {f"{BASE}.name": str(self.source.reference), f"{BASE}.digest": found.digest}
            made["annotations"] = {**value.get("annotations", {}), **base}
        return Manifest.of(found.media_type, made)

    def _config(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The base's, with the layer, and Python's path to the code first."""
        own = config.get("config") or {}
        variables = dict(text.partition("=")[::2] for text in own.get("Env") or ())
        given = [path for path in variables.get(PATH, "").split(":") if path and path not in self._paths]
        variables[PATH] = ":".join([*self._paths, *given])
        files = {**config["rootfs"], "diff_ids": [*config["rootfs"]["diff_ids"], self._layer.diff_id]}
        history = [*(config.get("history") or ()), {"created_by": "seaway submit --build"}]
        env = [f"{name}={value}" for name, value in variables.items()]
        return {**config, "config": {**own, "Env": env}, "rootfs": files, "history": history}
