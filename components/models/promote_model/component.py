from kfp import dsl
from seaway.kfp import component


@component
def promote_model(
    receipt: dsl.Output[dsl.Artifact],
    name: str,
    version: str,
    backend: str = "auto",
):
    """Make a registered version the one in production.

    Args:
        receipt: Name and version, in its metadata.
        name: Registered model's name.
        version: Version that `register_model` gave.
        backend: Registry; `auto` takes this place's.

    Raises:
        RegistryUnavailable: the registry does not answer or knows no such version.
    """
    from pathlib import Path

    from seaway import models, platforms
    from seaway.storage import write_json

    platforms.current(models.ModelRegistry, backend).promote(name, version)
    write_json(Path(receipt.path), {"name": name, "version": version})
    receipt.metadata["summary"] = f"{name} version {version} in production"
