"""`seaway export-triton`: a package as a Triton model repository."""

from pathlib import Path

import typer

from seaway.platforms.home import keys


def export(package: Path, repository: Path, name: str, key: Path | None, batch: int, instances: int) -> None:
    """Write the repository and say where. Raises: PackageRefused, InvalidSpec."""
    from seaway.model_server.triton import write_repository
    from seaway.models import verifying_key

    folder = write_repository(package, repository, name, key or verifying_key(keys()), batch, instances)
    typer.echo(f"{folder} is ready: tritonserver --model-repository {repository}")
