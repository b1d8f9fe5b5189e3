from kfp import dsl
from seaway.kfp import component


@component
def promote_model(
    receipt: dsl.Output[dsl.Artifact],
    links: dsl.Output[dsl.Markdown],
    name: str,
    version: str,
    backend: str = "auto",
):
    """Make a registered version the one in production.

    Args:
        receipt: Name and version, in its metadata.
        links: To the version in the registry.
        name: Registered model's name.
        version: Version that `register_model` gave.
        backend: Registry; `auto` takes this place's.

    Raises:
        RegistryUnavailable: the registry does not answer or knows no such version.
    """
    from pathlib import Path

    from seaway import models, platforms
    from seaway.reporting import write_links
    from seaway.storage import write_json

    tracker = platforms.current(models.ModelRegistry, backend)
    tracker.promote(name, version)
    told = f"{name} version {version} in production"
    write_links(Path(links.path), {"The version": tracker.version_page(name, version)}, told)
    write_json(Path(receipt.path), {"name": name, "version": version})
    receipt.metadata["summary"] = told
