"""Compiling from the command line."""

import os
from pathlib import Path

from seaway.errors import InvalidSpec


def compile_pipeline(
    reference: str, target: Path | None, kubernetes_manifests: bool, change: str = "", fuse: bool = False
) -> Path:
    """Compile a pipeline's name, `.py` file or `file.py:name`, its steps fused or not; returns where it was written."""
    if reference.endswith((".yaml", ".yml")):
        raise InvalidSpec(f"{reference} is compiled already; give the pipeline's name or its .py file.")
    from seaway.cli.light_kfp import import_kfp

    import_kfp()
    from seaway.kfp import compile as compiler
    from seaway.kfp import pipeline_file, versions
    from seaway.kfp.fuse.join import fused
    from seaway.kfp.refusals import require_runnable
    from seaway.platforms.kubernetes.client.yaml import manifests_text

    source = compiler.load_source(reference)
    pipeline, text = compiler.compiled(source), ""
    pipeline = fused(pipeline) if fuse else pipeline
    require_runnable(pipeline.spec)
    if kubernetes_manifests:
        text = manifests_text(versions.objects(pipeline, compiler.description(reference), change))
    file, name = pipeline_file.split(reference)
    target = target or Path(f"{name or file.stem}.yaml")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text or pipeline.text, encoding="utf-8")
    return target


def write_manifests(folder: Path, images: Path | None, change: str = "", fuse: bool = False) -> list[Path]:
    """Write Seaway's pipelines as objects, their steps fused or not; returns the files that changed.

    The steps' image is that of `images`, a kustomization; else `SEAWAY_IMAGE` or Seaway's own. Versions that are new
    say of themselves what `change` does.
    """
    from seaway.cli.light_kfp import import_kfp

    import_kfp()
    from seaway.kfp import catalog, versions
    from seaway.kfp.compile import compiled
    from seaway.kfp.fuse.join import fused
    from seaway.version import RUNTIME

    image = versions.image_of(images, RUNTIME) if images else None
    if image:
        os.environ["SEAWAY_IMAGE"] = image  # read when the components are imported, next
    found = [(compiled(entry.load()), entry.description) for entry in catalog.pipelines()]
    made = [versions.objects(fused(one) if fuse else one, told, change) for one, told in found]
    return versions.write(made, folder)
