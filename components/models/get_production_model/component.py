from typing import NamedTuple

from kfp import dsl
from seaway.kfp import component


@component
def get_production_model(
    fallback: dsl.Input[dsl.Model],
    package: dsl.Output[dsl.Model],
    links: dsl.Output[dsl.Markdown],
    name: str,
    backend: str = "auto",
) -> NamedTuple("Outputs", [("version", str)]):
    """Fetch the model in production as a verified copy; where there is none yet, the fallback becomes it.

    Args:
        fallback: Package that is registered and put into production on a first run.
        package: Verified copy of the package in production.
        links: To the version in the registry.
        name: Registered model's name.
        backend: Registry; `auto` takes this place's.

    Returns:
        version: The version in production.

    Raises:
        PackageRefused: a package is corrupted or not signed by this installation.
        RegistryUnavailable: the registry does not answer.
    """
    from pathlib import Path

    from seaway import models, platforms
    from seaway.platforms.home import keys
    from seaway.reporting import write_links

    tracker = platforms.current(models.ModelRegistry, backend)
    found = models.production_or_first(tracker, name, Path(fallback.path))
    copy = models.verified_copy(found.package, Path(package.path), models.verifying_key(keys()))
    models.carry_evidence(found.package, package.path)
    told = f"{name} version {found.version} in production"
    write_links(Path(links.path), {"The version": tracker.version_page(name, found.version)}, told)
    package.metadata["version"] = found.version
    package.metadata["sha256"] = copy.sha256
    package.metadata["summary"] = told
    return (found.version,)
