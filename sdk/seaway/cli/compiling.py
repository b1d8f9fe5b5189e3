"""Compiling from the command line."""

from pathlib import Path

from seaway.errors import InvalidSpec


def compile_pipeline(reference: str, target: Path | None, kubernetes_manifests: bool) -> Path:
    """Compile a pipeline's name or `.py` file; returns where it was written."""
    if reference.endswith((".yaml", ".yml")):
        raise InvalidSpec(f"{reference} is compiled already; give the pipeline's name or its .py file.")
    from seaway.cli.kfp_import import import_kfp

    import_kfp()
    from seaway.kfp import compiling

    source = compiling.load_source(reference)
    target = target or Path(f"{Path(reference).stem}.yaml")
    compiling.compile_to(source, target, kubernetes_manifests)
    return target
