"""`seaway export-lambda`: a package as what an image for AWS Lambda is built from."""

from pathlib import Path

import typer

from seaway.platforms.home import keys


def export(package: Path, folder: Path, name: str, key: Path | None, image: str | None) -> None:
    """Write the folder and say what builds it. Raises: PackageRefused, InvalidSpec."""
    from seaway.model_server.aws_lambda import write_image
    from seaway.model_server.aws_lambda.image import IMAGE
    from seaway.models import verifying_key

    write_image(package, folder, name, key or verifying_key(keys()), image or IMAGE)
    typer.echo(f"{folder} is ready: docker build --tag {name} {folder}")
