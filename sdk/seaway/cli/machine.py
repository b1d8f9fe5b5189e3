"""`seaway export-machine`: a package as a service of one machine."""

from pathlib import Path

import typer

from seaway.platforms.home import keys


def export(package: Path, folder: Path, name: str, key: Path | None, at: Path | None, python: str, image: str) -> None:
    """Write the folder and say what starts it. Raises: PackageRefused, InvalidSpec."""
    from seaway.model_server.machine import Machine, write_folder
    from seaway.models import verifying_key

    there = at or folder.absolute()
    write_folder(package, folder, name, key or verifying_key(keys()), Machine(there, python, image))
    typer.echo(f"Wrote {folder}, which is to be {there} on the machine; callers need the token in it. There, either")
    typer.echo(f"  systemctl enable --now {there}/{name}.service")
    typer.echo(f"  docker compose --project-directory {there} up --detach")
