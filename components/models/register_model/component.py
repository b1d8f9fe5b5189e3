from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def register_model(
    package: dsl.Input[dsl.Model],
    receipt: dsl.Output[dsl.Artifact],
    links: dsl.Output[dsl.Markdown],
    name: str,
    backend: str = "auto",
) -> NamedTuple("Outputs", [("version", str)]):
    """Verify a model package and register it as a version of the run that trained it, with its lineage as tags.

    Args:
        package: Made by `package_model`.
        receipt: Name and version, in its metadata.
        links: To the version in the registry.
        name: Registered model's name.
        backend: Registry; `auto` takes this place's.

    Returns:
        version: The package's version; one that was registered before, or is in production, keeps its own.

    Raises:
        PackageRefused: the package is corrupted or not signed by this installation.
        RegistryUnavailable: the registry does not answer.
    """
    from pathlib import Path

    from seaway import models, platforms
    from seaway.reporting import write_links
    from seaway.storage import write_json

    tracker = platforms.current(models.ModelRegistry, backend)
    version = models.register_new(tracker, name, Path(package.path))
    write_json(Path(receipt.path), {"name": name, "version": version})
    receipt.metadata["summary"] = told = f"{name} version {version}"
    write_links(Path(links.path), {"The version": tracker.version_page(name, version)}, told)
    return (version,)
